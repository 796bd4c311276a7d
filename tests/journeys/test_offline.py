"""Without network a phone shows the last board, as such, and nothing personal; with it, nothing old."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page

from tests.journeys.conftest import sees

NewBrowser = Callable[..., BrowserContext]
OpenPage = Callable[..., Page]
KEPT = "async () => (await (await caches.open('offline')).keys()).map((kept) => new URL(kept.url).pathname)"


def test_without_network_the_last_board_is_shown_as_such(open_page: OpenPage) -> None:
    page = open_page("/", name="Bob")
    sees(page, lambda: "/offline" in page.evaluate(KEPT), "the board that is kept")
    assert all(path == "/offline" or path.startswith("/static/") for path in page.evaluate(KEPT))
    page.context.set_offline(True)
    page.goto("/preferences")
    assert "offline" in page.locator("main").inner_text()
    assert "Bob" not in page.content()
    assert page.locator(".choice").first.is_visible()
    page.context.set_offline(False)
    page.goto("/preferences")
    assert page.locator("h1").inner_text() == "Preferences"
