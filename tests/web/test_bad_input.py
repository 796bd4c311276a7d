"""What people, scripts and attackers get wrong: a clear sentence, the right status, and nothing stored."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability.rules import Status
from tests.moments import TODAY
from tests.web.conftest import Browse, is_fragment, is_page, nothing_stored
from tests.web.reading import read
from tests.world import World

TODAYS = f"/day/{TODAY}/status"
YESTERDAY, FAR = TODAY - timedelta(days=1), TODAY + timedelta(days=91)


@dataclass(frozen=True)
class Case:
    """Who does what wrong, and the words that explain it."""

    name: str
    who: str | None
    method: str
    path: str
    status: int
    words: str
    form: dict[str, str] = field(default_factory=dict)


def get(name: str, who: str | None, path: str, status: int, words: str) -> Case:
    return Case(name, who, "GET", path, status, words)


def post(name: str, who: str | None, path: str, status: int, words: str, /, **form: str) -> Case:
    return Case(name, who, "POST", path, status, words, form)


LOOKING = {"status": "LOOKING"}
NO_DATE, NO_STATUS, NO_TIME = "not a date", "not a status", "not a time"

CASES = [
    post("a past day", "alice", f"/day/{YESTERDAY}/status", 422, "is over", **LOOKING),
    post("clearing a past day", "alice", f"/day/{YESTERDAY}/status", 422, "is over", status=""),
    post("a far day", "alice", f"/day/{FAR}/status", 422, "90 days", **LOOKING),
    post("no such day", "alice", "/day/2026-13-40/status", 422, NO_DATE, **LOOKING),
    post("29 February", "alice", "/day/2027-02-29/status", 422, NO_DATE, **LOOKING),
    post("a day without dashes", "alice", "/day/20261125/status", 422, NO_DATE, **LOOKING),
    post("a week day", "alice", "/day/2026-W48-1/status", 422, NO_DATE, **LOOKING),
    post("foreign digits", "alice", "/day/٢٠٢٦-١١-٢٥/status", 422, NO_DATE, **LOOKING),
    post("an unknown status", "alice", TODAYS, 422, NO_STATUS, status="SOON"),
    post("a status in small letters", "alice", TODAYS, 422, NO_STATUS, status="looking"),
    post("no status at all", "alice", TODAYS, 422, NO_STATUS),
    post("not linked", "charlie", TODAYS, 403, "link your player profile", **LOOKING),
    post("not logged in", None, TODAYS, 401, "log in", **LOOKING),
    post("preferences of nobody", None, "/preferences", 401, "log in"),
    post("preferences, not linked", "charlie", "/preferences", 403, "link", allow_promotions="on"),
    post("a sound, not linked", "charlie", "/preferences", 403, "link", sound="on"),
    post("a threshold, not linked", "charlie", "/preferences", 403, "link", looking_threshold="4"),
    post("a welcome of nobody", None, "/welcome", 401, "log in"),
    post("a welcome, not linked", "charlie", "/welcome", 403, "link", allow_promotions="on"),
    post("no such channel", "alice", "/preferences", 422, "no such channel", preferred_channel="pigeon"),
    post("no such zone", "alice", "/preferences", 422, "not a time zone", zone="Europe/Lubljana"),
    post("a crowd", "alice", "/preferences", 422, "from 0 (off) to 99", looking_threshold="100"),
    post("half a player", "alice", "/preferences", 422, "from 0 (off) to 99", looking_threshold="2.5"),
    post("half quiet hours", "alice", "/preferences", 422, "both", quiet_start="22:00"),
    post("empty quiet hours", "alice", "/preferences", 422, "same time", quiet_start="22:00", quiet_end="22:00"),
    post("no such hour", "alice", "/preferences", 422, NO_TIME, quiet_start="25:00", quiet_end="07:00"),
    post("an hour with a zone", "alice", "/preferences", 422, NO_TIME, quiet_start="22+01", quiet_end="07:00"),
    post("an hour in Zulu", "alice", "/preferences", 422, NO_TIME, quiet_start="22:00", quiet_end="0700Z"),
    post("a link of nobody", None, "/profile/link", 401, "log in", guid="guid-spare"),
    post("no such profile", "charlie", "/profile/link", 404, "no such player", guid="nobody"),
    post("no profile", "charlie", "/profile/link", 404, "no such player"),
    post("a profile that is taken", "charlie", "/profile/link", 409, "already linked", guid="guid-alice"),
    post("a zero byte", "charlie", "/profile/link", 422, "cannot be stored", guid="guid\x00"),
    get("a search for a zero byte", "charlie", "/profile?q=ab%00", 422, "text to search for has a character"),
    post("an unlink of nobody", None, "/profile/unlink", 401, "log in"),
    post("promoting without right", "alice", "/campaigns", 403, "Only promoters", key="k"),
    post("promoting, not linked", "charlie", "/campaigns", 403, "link", key="k"),
    post("promoting, not logged in", None, "/campaigns", 401, "log in", key="k"),
    post("a start that is none", "bob", "/campaigns", 422, NO_TIME, key="k", start="soon"),
    post("a start past midnight", "bob", "/campaigns", 422, NO_TIME, key="k", start="24:00"),
    post("a start with a zone", "bob", "/campaigns", 422, NO_TIME, key="k", start="21+01"),
    post("a start in Zulu", "bob", "/campaigns", 422, NO_TIME, key="k", start="2100Z"),
    post("a start with seconds", "bob", "/campaigns", 422, NO_TIME, key="k", start="21:00:30"),
    post("a start long ago", "bob", "/campaigns", 422, "60 minutes ago", key="k", start="19:29"),
    post("an endless key", "bob", "/campaigns", 422, "200 characters", key="k" * 5000),
    post("a zero byte as key", "bob", "/campaigns", 422, "cannot be stored", key="k\x00"),
    post("cancelling what is not there", "bob", "/campaigns/999999999/cancel", 404, "no such campaign"),
    post("cancelling without right", "alice", "/campaigns/1/cancel", 403, "Only promoters"),
    post("cancelling with an id beyond all", "bob", f"/campaigns/{10**30}/cancel", 404, "no such page"),
    get("a campaign that is not there", "alice", "/campaigns/999999999", 404, "no such campaign"),
    get("a campaign beyond all", "alice", f"/campaigns/{10**30}", 404, "no such page"),
    get("an unknown page", None, "/nowhere", 404, "no such page"),
    get("a wrong method", "bob", "/campaigns/1/cancel", 405, "that way"),
    post("another wrong method", "bob", "/calendar", 405, "that way"),
    get("a day that is none", None, "/day/2026-13-40", 422, NO_DATE),
    get("a month that is none", None, "/calendar?month=2026-13", 422, "A month looks like 2026-11"),
    get("a month in words", None, "/calendar?month=november", 422, "A month looks like 2026-11"),
    get("the first month of all", None, "/calendar?month=0001-01", 422, "A month looks like 2026-11"),
    get("the last month of all", None, "/calendar?month=9999-12", 422, "A month looks like 2026-11"),
    get("a forged login", None, "/auth/callback?state=forged&code=x", 422, "no longer valid"),
    get("a login of nothing", None, "/auth/callback", 422, "no longer valid"),
    get("a zero byte as state", None, "/auth/callback?state=%00&code=x", 422, "no longer valid"),
]


@pytest.mark.parametrize("as_fragment", [False, True], ids=["page", "htmx"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_mistake_is_explained_and_stores_nothing(world: World, browse: Browse, case: Case, as_fragment: bool) -> None:
    world.says("erik", Status.LOOKING)
    browser = browse(case.who)
    if case.who is not None:  # that Discord knows them is written down, however their attempt ends
        with world.session() as session:
            user = session.get_one(User, world.users[case.who])
            accounts.record_membership(session, user, is_member=True, now=world.clock.now())
    with nothing_stored(world):
        if case.method == "GET":
            answer = browser.get(case.path, htmx=as_fragment)
        else:
            answer = browser.post(case.path, case.form, htmx=as_fragment)
    sentence = is_fragment(answer, case.status) if as_fragment else is_page(answer, case.status)
    assert case.words in sentence or case.words.capitalize() in sentence


@pytest.mark.parametrize("as_fragment", [False, True], ids=["page", "htmx"])
@pytest.mark.parametrize("token", [None, "IjEyMyI.aaaa.bbbb"])
@pytest.mark.parametrize(
    "path", [TODAYS, "/campaigns", "/campaigns/1/cancel", "/preferences", "/profile/link", "/profile/unlink"]
)
def test_a_form_without_its_token_is_refused(
    world: World, browse: Browse, path: str, token: str | None, as_fragment: bool
) -> None:
    world.says("erik", Status.LOOKING)
    form = {"status": "LOOKING", "key": "k", "guid": "guid-spare"} | ({} if token is None else {"csrf_token": token})
    headers = {"HX-Request": "true"} if as_fragment else {}
    client = browse("bob").client
    with nothing_stored(world):
        answer = client.post(path, data=form, headers=headers)
    sentence = is_fragment(answer, 403) if as_fragment else is_page(answer, 403)
    assert "did not come from a Slomix page" in sentence


def test_somebody_elses_token_is_refused(world: World, browse: Browse) -> None:
    stolen, client = browse("erik").csrf(), browse("alice").client
    with nothing_stored(world):
        is_page(client.post(TODAYS, data={"csrf_token": stolen, "status": "LOOKING"}), 403)


def test_logging_out_needs_the_token_too(browse: Browse) -> None:
    alice = browse("alice")
    is_page(alice.client.post("/auth/logout"), 403)
    assert alice.page("/auth/link/status").words


@pytest.mark.parametrize("as_fragment", [False, True], ids=["page", "htmx"])
def test_a_body_over_the_limit_is_refused(world: World, browse: Browse, as_fragment: bool) -> None:
    headers = {"HX-Request": "true"} if as_fragment else {}
    alice = browse("alice")
    form = {"csrf_token": alice.csrf(), "status": "LOOKING" + "!" * 70_000}
    with nothing_stored(world):
        answer = alice.client.post(TODAYS, data=form, headers=headers)
    assert (is_fragment if as_fragment else is_page)(answer, 413)


@pytest.mark.parametrize("as_fragment", [False, True], ids=["page", "htmx"])
def test_a_second_campaign_is_a_conflict_that_names_the_other_promoter(
    world: World, browse: Browse, as_fragment: bool
) -> None:
    world.says("erik", Status.LOOKING)
    assert browse("bob").post("/campaigns", {"key": "k"}).status_code == 303
    dora = browse("dora")
    with nothing_stored(world):
        answer = dora.post("/campaigns", {"key": "k"}, htmx=as_fragment)
    sentence = (is_fragment if as_fragment else is_page)(answer, 409)
    assert "Bob" in sentence
    assert "Dora" not in sentence


@pytest.mark.parametrize("as_fragment", [False, True], ids=["page", "htmx"])
def test_nobody_to_ask_uses_nothing_up(world: World, browse: Browse, as_fragment: bool) -> None:
    world.says("erik", Status.AVAILABLE)
    bob = browse("bob")
    with nothing_stored(world):
        answer = bob.post("/campaigns", {"key": "k"}, htmx=as_fragment)
    assert "Nobody to notify yet" in (is_fragment if as_fragment else is_page)(answer, 422)


def test_somebody_elses_campaign_cannot_be_cancelled_but_by_an_admin(world: World, browse: Browse) -> None:
    world.says("erik", Status.LOOKING)
    dora, bob = browse("dora"), browse("bob")
    dora.post("/campaigns", {"key": "k"})
    path = next(
        link.attributes["href"]
        for link in dora.page("/").by_id("campaign").all("a")
        if "/campaigns/" in link.attributes["href"]
    )
    with nothing_stored(world):
        assert "no such campaign" in is_page(bob.post(f"{path}/cancel"), 404)
    assert dora.post(f"{path}/cancel").status_code == 303
    assert "over" not in is_page(bob.post(f"{path}/cancel"), 404)


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/availability", "/auth/login"])
@pytest.mark.parametrize(
    "host", ["evil host", "[::1", "a/b", "evil.example", "localhost.evil.example", "localhost@evil"]
)
def test_a_host_that_is_none_of_ours_is_answered_without_a_stack_trace(browse: Browse, host: str, path: str) -> None:
    answer = browse(None).client.get(path, environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "evil" not in answer.text
    assert "Traceback" not in answer.text


def test_a_mistake_in_the_preferences_loses_nothing_that_was_typed(browse: Browse) -> None:
    typed = {
        "allow_promotions": "off",
        "session_ready": "on",
        "looking_threshold": "4",
        "preferred_channel": "signal",
        "quiet_start": "22:15",
        "quiet_end": "22:15",
        "zone": "Asia/Tokyo",
        "sound": "on",
        "sound_cooldown": "90",
    }
    answer = browse("alice").post("/preferences", typed)
    assert "same time" in is_page(answer, 422)
    page = read(answer.text).by_id("main")
    fields = {one.attributes["name"]: one.attributes for one in page.all("input")}
    for name in ("looking_threshold", "quiet_start", "quiet_end", "zone", "sound_cooldown"):
        assert fields[name]["value"] == typed[name]
    ticked = {name for name, attributes in fields.items() if "checked" in attributes}
    assert ticked == {"session_ready", "sound"}
    assert [one.attributes["value"] for one in page.all("option") if "selected" in one.attributes] == ["signal"]


def test_every_mistake_in_the_preferences_is_told_at_its_field(browse: Browse) -> None:
    typed = {"looking_threshold": "100", "zone": "Nowhere", "quiet_start": "22:00", "sound_cooldown": "1"}
    answer = browse("alice").post("/preferences", typed | {"preferred_channel": "pigeon"})
    assert answer.status_code == 422
    main = read(answer.text).by_id("main")
    for label in (
        "Your time zone",
        "Tell me when this many players are looking",
        "Preferred app",
        "Quiet hours",
        "Ready sound",
    ):
        assert any(one.words.startswith(f"{label}: ") for one in main.all("p")), label
    marked = {
        one.attributes["name"] for one in [*main.all("input"), *main.all("select")] if "aria-invalid" in one.attributes
    }
    assert marked == {*typed, "quiet_end", "preferred_channel"}
