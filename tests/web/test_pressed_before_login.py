"""A stranger presses a status, logs in, and has said it; nobody's status is said by a link."""

from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import is_page, lands
from tests.web.reading import read
from tests.web.steps import ALICE, Dance

TOMORROW = TODAY + timedelta(days=1)


def press(dance: Dance, day: object = TODAY, status: str = "LOOKING") -> dict[str, str]:
    """Press a status as a stranger; what Slomix then asks Discord for."""
    form = {"csrf_token": dance.browser.csrf(), "day": str(day), "status": status}
    return asked_by(dance.browser.client.post("/auth/login", data=form))


def asked_by(answer: TestResponse) -> dict[str, str]:
    """What the page that leads on to Discord asks of it; the page goes there by itself and by its button."""
    assert answer.status_code == 200, answer.text
    page = read(answer.text)
    [button] = [link.attributes["href"] for link in page.all("a") if link.words == "Continue to Discord"]
    [refresh] = [tag.attributes["content"] for tag in page.all("meta") if "http-equiv" in tag.attributes]
    assert refresh == f"0; url={button}"
    return {name: values[0] for name, values in parse_qs(urlsplit(button or "").query).items()}


@pytest.fixture
def linked(dance: Dance) -> Iterator[Dance]:
    """She has a player, and is logged out."""
    dance.log_in()
    with dance.world.session() as session:
        user = session.scalars(select(User).where(User.discord_id == ALICE.id)).one()
        accounts.link_player(session, user, "guid-spare", now=dance.world.clock.now())
    dance.browser.post("/auth/logout")
    yield dance


def said(dance: Dance) -> dict[date, Status]:
    with dance.world.session() as session:
        mine = select(User.player_id).where(User.discord_id == ALICE.id).scalar_subquery()
        return {entry.day: entry.status for entry in session.scalars(select(Entry).where(Entry.player_id == mine))}


@pytest.mark.parametrize("path", ["/", f"/day/{TODAY}", "/board"])
def test_a_strangers_page_has_the_four_buttons_and_each_leads_to_the_login(dance: Dance, path: str) -> None:
    forms = [
        form for form in read(dance.browser.get(path).text).all("form") if form.attributes["action"] == "/auth/login"
    ]
    assert forms
    for form in forms:
        assert [button.attributes["value"] for button in form.all("button")] == [status.value for status in Status]
        names = {field.attributes["name"]: field.attributes["value"] for field in form.all("input")}
        answer = dance.browser.client.post("/auth/login", data=names | {"status": "MAYBE"})
        assert asked_by(answer)["scope"] == "identify"


def test_what_was_pressed_is_said_and_can_be_undone(linked: Dance) -> None:
    back = linked.browser.get(linked.consent(press(linked, TOMORROW, "MAYBE")))
    assert lands(back) == "/pressed"
    assert lands(linked.browser.get("/pressed")) == f"/#day-{TOMORROW}"
    assert said(linked) == {TOMORROW: Status.MAYBE}
    assert "Undo" in linked.browser.page("/").words


def test_it_is_said_once(linked: Dance) -> None:
    linked.browser.get(linked.consent(press(linked)))
    linked.browser.get("/pressed")
    with linked.world.session() as session:
        session.execute(delete(Entry))
    assert lands(linked.browser.get("/pressed")) == "/"
    assert said(linked) == {}


def test_who_has_no_player_yet_chooses_one_first(dance: Dance) -> None:
    assert lands(dance.browser.get(dance.consent(press(dance)))) == "/profile?next=/pressed"
    assert "what you pressed is saved" in dance.browser.page("/profile?next=/pressed").words
    is_page(dance.browser.get("/pressed"), 403)
    with dance.world.session() as session:
        user = session.scalars(select(User).where(User.discord_id == ALICE.id)).one()
        accounts.link_player(session, user, "guid-spare", now=dance.world.clock.now())
    assert lands(dance.browser.get("/pressed")) == f"/#day-{TODAY}"
    assert said(dance) == {TODAY: Status.LOOKING}


def test_an_account_without_a_player_may_press_too(dance: Dance) -> None:
    dance.log_in()
    [form] = [
        form
        for form in read(dance.browser.get(f"/day/{TODAY}").text).all("form")
        if form.attributes["action"] == "/pressed"
    ]
    names = {field.attributes["name"]: field.attributes["value"] for field in form.all("input")}
    answer = dance.browser.client.post("/pressed", data=names | {"status": "MAYBE"})
    assert lands(answer) == "/profile?next=/pressed"
    with dance.world.session() as session:
        user = session.scalars(select(User).where(User.discord_id == ALICE.id)).one()
        accounts.link_player(session, user, "guid-spare", now=dance.world.clock.now())
    dance.browser.get("/pressed")
    assert said(dance) == {TODAY: Status.MAYBE}


def test_a_stranger_has_nothing_remembered(dance: Dance) -> None:
    form = {"csrf_token": dance.browser.csrf(), "day": str(TODAY), "status": "LOOKING"}
    assert dance.browser.client.post("/pressed", data=form).status_code == 401


def test_who_says_no_to_discord_has_said_nothing(linked: Dance) -> None:
    assert lands(linked.browser.get(linked.deny(press(linked)))) == "/"
    linked.log_in()
    assert lands(linked.browser.get("/pressed")) == "/"
    assert said(linked) == {}


def test_a_link_says_nothing(linked: Dance) -> None:
    """Neither to the login, nor to what follows it, nor without the form's token."""
    linked.log_in(f"/auth/login?day={TODAY}&status=LOOKING&next=/pressed")
    assert lands(linked.browser.get(f"/pressed?day={TODAY}&status=LOOKING")) == "/"
    form = {"day": str(TODAY), "status": "LOOKING"}
    assert linked.browser.client.post("/auth/login", data=form).status_code in {400, 403}
    assert said(linked) == {}


def test_what_another_browser_pressed_is_not_said_here(linked: Dance) -> None:
    state = press(linked)
    back = linked.consent(state)
    with linked.browser.client.session_transaction() as cookie:
        cookie.clear()
    assert linked.browser.get(back).status_code == 422
    linked.log_in()
    linked.browser.get("/pressed")
    assert said(linked) == {}


@pytest.mark.parametrize(
    ("day", "status"),
    [("2026-02-30", "LOOKING"), (TODAY - timedelta(days=3), "LOOKING"), (TODAY, "DANCING"), (TODAY, "x" * 5000)],
)
def test_what_cannot_be_said_is_told_and_the_login_stands(linked: Dance, day: object, status: str) -> None:
    linked.browser.get(linked.consent(press(linked, day, status)))
    assert lands(linked.browser.get("/pressed")) == "/"
    assert linked.is_in()
    assert said(linked) == {}
