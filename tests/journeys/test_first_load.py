"""A first visit is small and quick, asks nobody but us, and runs nothing that its policy does not allow."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

from slomix.dev.rehearsal.system import RunningSystem
from tests.journeys.conftest import DAY, OpenPage, sees
from tests.waiting import until

MOST_REQUESTS, MOST_BYTES = 6, 45_000
LINGER = 2000  # milliseconds: what a page may still ask for after it is there
COMPLAIN = """window.complaints = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.complaints.push(`${event.violatedDirective}: ${event.blockedURI}`));"""


@dataclass
class Wire:
    """All that one tab asks for and gets, as the browser counts it."""

    requests: dict[str, str] = field(default_factory=dict)
    cached: set[str] = field(default_factory=set)
    received: dict[str, float] = field(default_factory=dict)

    def follow(self, page: Page) -> None:
        browser = page.context.new_cdp_session(page)
        browser.on(
            "Network.requestWillBeSent", lambda it: self.requests.update({it["requestId"]: it["request"]["url"]})
        )
        browser.on("Network.requestServedFromCache", lambda it: self.cached.add(it["requestId"]))
        browser.on("Network.responseReceived", self._response)
        browser.on("Network.dataReceived", self._data)
        browser.on("Network.loadingFinished", self._finished)
        browser.send("Network.enable")

    def _response(self, it: dict[str, Any]) -> None:
        if it["response"].get("fromDiskCache"):
            self.cached.add(it["requestId"])
        self.received[it["requestId"]] = it["response"]["encodedDataLength"]

    def _data(self, it: dict[str, Any]) -> None:
        self.received[it["requestId"]] += it["encodedDataLength"] or it["dataLength"]

    def _finished(self, it: dict[str, Any]) -> None:
        self.received[it["requestId"]] = it["encodedDataLength"]

    @property
    def asked(self) -> list[str]:
        return [url for key, url in self.requests.items() if key not in self.cached]


@pytest.fixture
def quiet(open_page: OpenPage) -> None:
    """The server has answered somebody before, hears the database, and what set this evening up is over."""
    page = open_page()
    until(lambda: re.search('data-mark="[^"]', page.request.get("/").text()), "a page whose process hears of changes")
    page.wait_for_timeout(1000)


NewBrowser = Callable[..., BrowserContext]


@pytest.mark.usefixtures("quiet")
def test_a_first_visit_takes_six_requests_and_45_kb(new_browser: NewBrowser) -> None:
    context = new_browser()
    first = context.new_page()
    wire = Wire()
    wire.follow(first)
    first.goto("/")
    sees(first, lambda: any(url.endswith("/events") for url in wire.asked), "its stream")
    first.wait_for_timeout(LINGER)
    icon = first.locator("link[rel=icon]").get_attribute("href")
    assert icon is not None
    if not any(icon in url for url in wire.asked):  # a Chromium without a window asks for no icon
        wire.requests["icon"] = icon
        wire.received["icon"] = len(context.request.get(icon).body())
    assert len(wire.asked) <= MOST_REQUESTS, wire.asked
    assert sum(wire.received.values()) <= MOST_BYTES, wire.received
    assert sum(url.endswith("/events") for url in wire.asked) == 1
    parts = sorted(urlsplit(url).path for url in wire.asked if urlsplit(url).path.endswith((".css", ".js")))
    assert parts == ["/static/joined/slomix.css", "/static/joined/slomix.js", "/static/vendor/htmx-4.0.1.min.js"]

    second = context.new_page()
    first.close()
    later = Wire()
    later.follow(second)
    second.goto("/")
    sees(second, lambda: any(url.endswith("/events") for url in later.asked), "its stream")
    second.wait_for_timeout(LINGER)
    assert sorted(url.rpartition("/")[2] for url in later.asked) == ["", "events"], (
        "what is known is not asked for again"
    )


def test_no_page_asks_anybody_else_or_breaks_a_rule_of_its_own(open_page: OpenPage, evening: RunningSystem) -> None:
    page = open_page("/nowhere", name="Bob", before=COMPLAIN)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/", "/calendar", f"/day/{DAY}", "/profile", "/preferences"):
        answer = page.goto(path)
        assert answer is not None
        page.wait_for_timeout(300)
        assert said + page.evaluate("window.complaints") == [], path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe-" not in policy, path
    assert [url for url in asked if not url.startswith(f"{evening.web_url}/")] == []


def test_the_policy_holds_for_what_somebody_injects(open_page: OpenPage) -> None:
    """What the other test hears nothing of, it would hear."""
    page = open_page(before=COMPLAIN)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked = 1\">')")
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'), { textContent: '*{color:red}' }))"
    )
    # Asked from outside: the policy forbids a page to evaluate what Playwright would wait for in it.
    sees(page, lambda: page.evaluate("window.complaints.length >= 2"), "the browser to complain of both")
    assert page.evaluate("window.hacked") is None
