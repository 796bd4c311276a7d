"""What every form and call can destroy: it asks with its consequences, or can be undone, or nothing is lost by it."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability import feeds
from slomix.availability.rules import Status
from slomix.board.profile import UNLINK_CONSEQUENCES
from slomix.campaigns.states import CANCEL_CONSEQUENCES
from slomix.channels.base import Unanswered
from slomix.chat.rules import Command
from slomix.contacts.rules import ChannelName
from slomix.planning.buttons import HAND_OVER_CONSEQUENCES, LEAVE_CONSEQUENCES
from slomix.reasons.codes import Reason
from tests.moments import at
from tests.steps import call
from tests.web.conftest import Browse, Browser, is_page, nothing_stored
from tests.web.planning import PAGE, ants, arranged, ids
from tests.web.reading import read
from tests.workers.pump import pump
from tests.world import World


class Loss(enum.Enum):
    """What a person can lose by one press."""

    # A question with what follows from it; the same form comes again.
    ASKS = "asks"
    # The button stands on a page of its own that says what will happen.
    PAGE = "page"
    # A button beside it brings back what was.
    UNDO = "undo"
    # Nothing is lost that the same person cannot say again at once.
    HARMLESS = "harmless"
    # Called by programs, which ask the people that use them.
    CALL = "call"


ROUTES: dict[str, Loss] = {
    "POST /auth/login": Loss.UNDO,  # of the status that was pressed
    "POST /pressed": Loss.UNDO,  # the same
    "POST /auth/logout": Loss.HARMLESS,
    "POST /auth/logout/everywhere": Loss.HARMLESS,
    "POST /auth/logout/<number>": Loss.HARMLESS,
    "POST /admin/claims/<id:claim_id>/grant": Loss.PAGE,
    "POST /admin/claims/<id:claim_id>/refuse": Loss.PAGE,
    "POST /admin/jobs/<id:job_id>/retry": Loss.PAGE,
    "POST /admin/jobs/<id:job_id>/cancel": Loss.PAGE,
    "POST /admin/links/seen": Loss.HARMLESS,
    "POST /admin/links/<id:user_id>/unlink": Loss.PAGE,
    "POST /admin/links/<id:user_id>/sign-out": Loss.HARMLESS,
    "POST /admin/players/import": Loss.HARMLESS,  # shows what it would do
    "POST /admin/players/import/confirm": Loss.PAGE,
    "POST /admin/roles/grant": Loss.UNDO,
    "POST /admin/roles/<discord_id>/<role>/revoke": Loss.PAGE,
    "POST /admin/sending/pause": Loss.UNDO,
    "POST /admin/sending/resume": Loss.UNDO,
    "POST /admin/tonight/dismiss": Loss.HARMLESS,  # a process that lives says so again
    "POST /appearance": Loss.HARMLESS,
    "POST /campaigns": Loss.UNDO,  # by cancelling it
    "POST /campaigns/<id:campaign_id>/cancel": Loss.ASKS,
    "POST /campaigns/<id:campaign_id>/retry": Loss.ASKS,  # where it may arrive twice
    "POST /contacts/<channel>/code": Loss.HARMLESS,
    "POST /contacts/<channel>/remove": Loss.ASKS,
    "POST /contacts/<channel>/test": Loss.HARMLESS,
    "POST /day/<day>/late": Loss.UNDO,
    "POST /day/<day>/status": Loss.UNDO,
    "POST /day/<day>/undo": Loss.UNDO,  # by saying it again
    "POST /discord/interactions": Loss.CALL,
    "POST /inbox/telegram": Loss.CALL,
    "POST /language": Loss.HARMLESS,
    "POST /preferences/calendar": Loss.ASKS,
    "POST /preferences/calendar/remove": Loss.ASKS,
    "POST /planning/<day>/ask": Loss.HARMLESS,
    "POST /planning/<day>/change": Loss.UNDO,
    "POST /planning/<day>/create": Loss.HARMLESS,
    "POST /planning/<day>/draft": Loss.UNDO,
    "POST /planning/<day>/join": Loss.HARMLESS,
    "POST /planning/<day>/leave": Loss.ASKS,
    "POST /planning/<day>/names": Loss.UNDO,
    "POST /planning/<day>/names/<id:name_id>/delete": Loss.ASKS,  # where it has votes
    "POST /planning/<day>/owner": Loss.ASKS,
    "POST /planning/<day>/teams": Loss.UNDO,
    "POST /planning/<day>/vote": Loss.UNDO,
    "POST /preferences": Loss.UNDO,
    "POST /preferences/told": Loss.HARMLESS,
    "POST /profile/claim": Loss.UNDO,
    "POST /profile/claim/withdraw": Loss.HARMLESS,
    "POST /profile/delete": Loss.PAGE,
    "POST /profile/link": Loss.ASKS,  # in place of another profile
    "POST /profile/membership": Loss.HARMLESS,
    "POST /profile/unlink": Loss.ASKS,
    "POST /stop/<token>": Loss.PAGE,
    "POST /welcome": Loss.UNDO,
    "POST /api/availability": Loss.CALL,
    "DELETE /api/availability/<day>": Loss.CALL,
    "DELETE /api/availability/subscriptions/<channel>": Loss.CALL,
    "POST /api/availability/link-confirm": Loss.CALL,
    "POST /api/availability/link-token": Loss.CALL,
    "POST /api/availability/promotion-preferences": Loss.CALL,
    "POST /api/availability/promotions/campaigns": Loss.CALL,
    "POST /api/availability/promotions/campaigns/<id:campaign_id>/cancel": Loss.CALL,
    "POST /api/availability/promotions/campaigns/<id:campaign_id>/retry": Loss.CALL,
    "POST /api/availability/settings": Loss.CALL,
    "POST /api/planning/today/create": Loss.CALL,
    "POST /api/planning/today/join": Loss.CALL,
    "POST /api/planning/today/suggestions": Loss.CALL,
    "DELETE /api/planning/today/suggestions/<id:name_id>": Loss.CALL,
    "POST /api/planning/today/teams": Loss.CALL,
    "POST /api/planning/today/vote": Loss.CALL,
}
# In a chat a command is typed; only what a code that is not one's own could do is asked about.
COMMANDS = {
    Command.LINK: Loss.ASKS,
    Command.YES: Loss.HARMLESS,
    Command.NO: Loss.HARMLESS,
    Command.UNLINK: Loss.HARMLESS,
    Command.AVAIL: Loss.HARMLESS,
    Command.TODAY: Loss.HARMLESS,
    Command.TOMORROW: Loss.HARMLESS,
    Command.NOTIFY: Loss.UNDO,
    Command.HELP: Loss.HARMLESS,
}


def writing(app: Flask) -> set[str]:
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    }


def test_every_route_that_writes_is_in_the_table(app: Flask) -> None:
    assert writing(app) == ROUTES.keys()


def test_every_command_is_in_the_table() -> None:
    assert COMMANDS.keys() == set(Command)


@dataclass(frozen=True)
class Case:
    """Who presses what, after which preparation, and what the question says."""

    route: str
    who: str
    prepare: Callable[[World], tuple[str, dict[str, str]]]
    says: tuple[str, ...]


def on(path: str, **form: str) -> Callable[[World], tuple[str, dict[str, str]]]:
    return lambda _: (path, form)


def changing(world: World) -> tuple[str, dict[str, str]]:
    with world.session() as session:  # that Discord knows them is written down in any case
        user = session.get_one(User, world.users["alice"])
        accounts.record_membership(session, user, True, now=world.clock.now())
    return "/profile/link", {"guid": "guid-spare", "next": "/calendar"}


def with_telegram(world: World) -> tuple[str, dict[str, str]]:
    world.has("alice", ChannelName.TELEGRAM, "4242")
    return "/contacts/telegram/remove", {}


def with_feed(path: str) -> Callable[[World], tuple[str, dict[str, str]]]:
    def prepare(world: World) -> tuple[str, dict[str, str]]:
        with world.session() as session:
            feeds.renew_feed(session, world.players["alice"], now=world.clock.now())
        return path, {}

    return prepare


def with_campaign(world: World) -> tuple[str, dict[str, str]]:
    world.says("erik", Status.LOOKING)
    return f"/campaigns/{call(world)[0]}/cancel", {}


def in_room(path: str, **form: str) -> Callable[[World], tuple[str, dict[str, str]]]:
    def prepare(world: World) -> tuple[str, dict[str, str]]:
        arranged(world)
        return PAGE + path, form

    return prepare


def with_votes(world: World) -> tuple[str, dict[str, str]]:
    tonight = arranged(world)
    tonight.votes("goran", int(ants(tonight)))
    return f"{PAGE}/names/{ants(tonight)}/delete", {}


def handing_over(world: World) -> tuple[str, dict[str, str]]:
    tonight = arranged(world)
    return f"{PAGE}/owner", {"player": ids(tonight, "erik")[0]}


def with_unknown(world: World) -> tuple[str, dict[str, str]]:
    world.says("erik", Status.LOOKING)
    world.has("erik", ChannelName.TELEGRAM, "4242")
    world.prefers("erik", preferred_channel="telegram")
    campaign_id = call(world)[0]
    world.telegram.answers = [Unanswered(Reason.TELEGRAM_DID_NOT_ANSWER, "cut")]
    world.clock.move_to(at(20, 45))
    pump(world)
    world.clock.forward(timedelta(seconds=1))
    return f"/campaigns/{campaign_id}/retry", {"unknown": "on"}


OLD_ONE = "Calendars that read the old address get nothing any more."
CASES = [
    Case("POST /profile/unlink", "alice", on("/profile/unlink"), ("Unlink Alice?", *UNLINK_CONSEQUENCES)),
    Case(
        "POST /profile/link",
        "alice",
        changing,
        ("Give up Alice and become", *UNLINK_CONSEQUENCES),
    ),
    Case("POST /contacts/<channel>/remove", "alice", with_telegram, ("Unlink Telegram?", "you need a new code")),
    Case(
        "POST /campaigns/<id:campaign_id>/cancel",
        "bob",
        with_campaign,
        ("Cancel tonight’s campaign?", *CANCEL_CONSEQUENCES),
    ),
    Case("POST /campaigns/<id:campaign_id>/retry", "bob", with_unknown, ("arrive twice",)),
    Case("POST /planning/<day>/leave", "erik", in_room("/leave"), ("Out tonight?", *LEAVE_CONSEQUENCES)),
    Case(
        "POST /planning/<day>/names/<id:name_id>/delete",
        "erik",
        with_votes,
        ("Delete the name Ants?", "Its vote"),
    ),
    Case(
        "POST /preferences/calendar",
        "alice",
        with_feed("/preferences/calendar"),
        ("Make a new calendar address?", OLD_ONE),
    ),
    Case(
        "POST /preferences/calendar/remove",
        "alice",
        with_feed("/preferences/calendar/remove"),
        ("Remove the calendar address?", OLD_ONE),
    ),
    Case("POST /planning/<day>/owner", "alice", handing_over, ("Hand the room over to", *HAND_OVER_CONSEQUENCES)),
]


def test_every_form_that_asks_has_a_case() -> None:
    assert {case.route for case in CASES} == {route for route, loss in ROUTES.items() if loss is Loss.ASKS}


def press(browser: Browser, path: str, form: dict[str, str]) -> TestResponse:
    """One tap, which confirms nothing."""
    return browser.client.post(path, data=form | {"csrf_token": browser.csrf()})


@pytest.mark.parametrize("case", CASES, ids=[case.route for case in CASES])
def test_it_asks_with_what_follows_and_does_it_for_a_yes(world: World, browse: Browse, case: Case) -> None:
    path, form = case.prepare(world)
    browser = browse(case.who)
    with nothing_stored(world):
        asked = press(browser, path, form)
    main = read(asked.text).by_id("main")
    assert asked.status_code == 200
    for sentence in case.says:
        assert sentence in main.words
    [question] = [one for one in main.all("form") if one.attributes.get("id") == "question"]
    assert question.attributes["action"] == path
    again = {one.attributes["name"]: one.attributes["value"] for one in question.all("input")}
    ours = {"csrf_token": "", "viewer": ""}
    assert again | ours == form | ours, "nothing that was sent is lost"
    [back] = [link for link in main.all("a") if link.words == "Keep it"]
    assert browser.get(back.attributes["href"]).status_code == 200
    assert press(browser, path, form | {"confirmed": "on"}).status_code == 303


@pytest.mark.parametrize("case", CASES, ids=[case.route for case in CASES])
def test_whoever_may_not_is_not_asked(world: World, browse: Browse, case: Case) -> None:
    path, form = case.prepare(world)
    with nothing_stored(world):
        is_page(press(browse(None), path, form), 401)


PAGES = {
    "/profile/delete": "alice",
}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_what_its_button_destroys(browse: Browse, path: str) -> None:
    page = browse(PAGES[path]).page(path).by_id("main")
    assert any("danger" in (one.attributes.get("class") or "") for one in page.all("button"))
    assert len(page.all("p")) >= 2


def test_every_form_with_a_page_has_one_at_its_own_address(app: Flask) -> None:
    reading = {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())}
    lacking = {
        route for route, loss in ROUTES.items() if loss is Loss.PAGE and route.removeprefix("POST ") not in reading
    }
    assert lacking == {"POST /admin/players/import/confirm"}, "whose page is the preview of the file"
