"""The pages of admins: who gets in, what waits, and claims that are granted or refused."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from slomix.accounts import claims, roles
from slomix.accounts import service as accounts
from slomix.accounts.models import Player, ProfileRequest, User
from slomix.accounts.rules import LinkAction, Role
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.contacts import service as contacts
from slomix.contacts.models import Contact, StoredPreferences
from slomix.contacts.rules import ChannelName
from slomix.reasons.codes import Explanation, Reason
from tests.web.conftest import (
    Browse,
    Browser,
    browser_of,
    is_fragment,
    is_page,
    lands,
    make_app,
    nothing_stored,
    with_settings,
)
from tests.web.steps import form_of, log_of, player_of
from tests.world import CAST, World

PAGES = ["", "/claims", "/links", "/roles", "/audit", "/players"]
CONFIRMING = [
    "/claims/{claim}/grant",
    "/claims/{claim}/refuse",
    "/links/{user}/unlink",
    f"/roles/{CAST['erik']}/promoter/revoke",
]
POSTS = [
    *CONFIRMING,
    "/links/seen",
    "/links/{user}/sign-out",
    "/roles/grant",
    "/players/import",
    "/players/import/confirm",
]


def asks_for(world: World, guid: str, note: str = "", *, who: str = "charlie") -> int:
    """Somebody claims a profile."""
    with world.session() as session:
        user = session.get_one(User, world.users[who])
        made = claims.request_profile(session, user, accounts.get_profile(session, guid), note, now=world.clock.now())
        session.flush()
        return made.id


@pytest.fixture
def claim(world: World) -> int:
    """Charlie says that Alice's profile is theirs; Erik was granted a right."""
    with world.session() as session:
        roles.grant(session, CAST["erik"], Role.PROMOTER, actor=str(world.users["dora"]), now=world.clock.now())
    return asks_for(world, "guid-alice", "I play as <b>Alice</b> & friends")


def addresses(world: World, claim: int, paths: list[str]) -> list[str]:
    return [f"/admin{path.format(claim=claim, user=world.users['alice'])}" for path in paths]


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("charlie", 403), ("alice", 403), ("bob", 403)])
def test_only_admins_get_in_and_nobody_else_changes_anything(
    world: World, claim: int, browse: Browse, who: str | None, status: int
) -> None:
    browser = browse(who)
    with nothing_stored(world):
        for path in addresses(world, claim, PAGES + CONFIRMING):
            is_page(browser.get(path), status)
            is_fragment(browser.get(path, htmx=True), status)
        for path in addresses(world, claim, POSTS):
            form = {"discord_id": CAST["charlie"], "role": "admin", "text": "guid,name\ng,n\n"}
            is_page(browser.post(path, form), status)


def test_admins_see_every_page_whether_linked_or_not_and_looking_changes_nothing(
    world: World, claim: int, dora: Browser, charlie: Browser
) -> None:
    with world.session() as session:
        roles.grant(session, CAST["charlie"], Role.ADMIN, actor=None, now=world.clock.now())
    with nothing_stored(world):
        for browser in (dora, charlie):
            for path in addresses(world, claim, PAGES + CONFIRMING):
                assert browser.page(path).by_id("main").headings, path


def test_who_lost_the_right_is_out_at_the_very_next_request(world: World, charlie: Browser) -> None:
    now = world.clock.now()
    is_page(charlie.get("/admin"), 403)
    with world.session() as session:
        roles.grant(session, CAST["charlie"], Role.ADMIN, actor=None, now=now)
    assert charlie.get("/admin").status_code == 200
    with world.session() as session:
        roles.revoke(session, CAST["charlie"], Role.ADMIN, actor=None, now=now)
    is_page(charlie.get("/admin"), 403)


def test_a_form_from_elsewhere_is_refused(world: World, claim: int, dora: Browser) -> None:
    with nothing_stored(world):
        for path in addresses(world, claim, POSTS):
            is_page(dora.client.post(path, data={}), 403)


@pytest.mark.parametrize("path", ["/claims/{}/grant", "/claims/{}/refuse", "/links/{}/unlink", "/links/{}/sign-out"])
@pytest.mark.parametrize("number", ["999999999", "9" * 30, "0", "-1", "x"])
def test_what_does_not_exist_is_no_page(world: World, dora: Browser, path: str, number: str) -> None:
    with nothing_stored(world):
        if not path.endswith("sign-out"):
            is_page(dora.get(f"/admin{path.format(number)}"), 404)
        answer = dora.post(f"/admin{path.format(number)}")
        # Two methods at one address, and a number that no row can have: a router's own answer.
        is_page(answer, 405 if number in {"0", "9" * 30} and answer.status_code == 405 else 404)


def test_only_admins_have_the_way_to_these_pages_with_what_waits(world: World, claim: int, browse: Browse) -> None:
    assert all(one.attributes["href"] != "/admin" for one in browse("bob").page("/").all("a"))
    dora = browse("dora")
    [link] = [one for one in dora.page("/").all("a") if one.attributes["href"] == "/admin"]
    assert link.words == "Admin 7 , 7 waiting"  # six links and a claim
    dora.post("/admin/links/seen", {"until": world.clock.now().isoformat()})
    dora.post(f"/admin/claims/{claim}/refuse")
    [link] = [one for one in dora.page("/").all("a") if one.attributes["href"] == "/admin"]
    assert link.words == "Admin"


def test_the_overview_says_what_waits_and_how_the_channels_do_and_no_address(world: World, claim: int) -> None:
    world.has("alice", ChannelName.TELEGRAM, "555000111")
    now = world.clock.now()
    with world.session() as session:
        made = {one.channel: one.route for one in contacts.contacts_of(session, world.players["alice"]).values()}
        contacts.apply_update(session, contacts.after_success(made[ChannelName.DISCORD], learned=None, now=now))
        contacts.apply_update(
            session,
            contacts.after_failure(
                made[ChannelName.TELEGRAM], Explanation(Reason.OTHER, "<i>blocked</i>"), is_permanent=True, now=now
            ),
        )
        accounts.record_membership(session, session.get_one(User, world.users["erik"]), False, now=now)
    elsewhere = with_settings(world, signal_enabled=False)
    answer = browser_of(make_app(elsewhere.runtime), elsewhere, "dora").get("/admin")
    assert "<i>" not in answer.text
    assert "555000111" not in answer.text
    for sentence in (
        "1 claim is waiting",
        "6 new links since you last looked",
        "DISCORD_BOT_TOKEN isn’t set",
        "Last arrival: 20 Nov 2026, 20:30",
        "1 verified contact",
        "1 not working",
        "blocked",
        "AVAILABILITY_SIGNAL_ENABLED isn’t on",
    ):
        assert sentence in " ".join(answer.text.split()), sentence


def test_a_channel_without_a_key_says_so(world: World) -> None:
    keyless = with_settings(world, contact_encryption_key=type(world.runtime.settings.contact_encryption_key)(""))
    page = browser_of(make_app(keyless.runtime), keyless, "dora").page("/admin")
    assert page.words.count("CONTACT_DATA_ENCRYPTION_KEY isn’t set") == 2


def test_a_claim_is_shown_with_all_that_decides_it_and_its_words_as_text(claim: int, dora: Browser) -> None:
    answer = dora.get("/admin/claims")
    assert "<b>Alice" not in answer.text
    words = dora.page("/admin/claims").by_id("main").words
    for part in ("Charlie", CAST["charlie"], CAST["alice"], "guid-alice", "I play as <b>Alice</b> & friends", "20:30"):
        assert part in words


def test_before_granting_one_reads_what_will_happen(claim: int, dora: Browser) -> None:
    words = dora.page(f"/admin/claims/{claim}/grant").by_id("main").words
    assert "is unlinked from Alice" in words
    assert "their apps, preferences and answers for the days ahead are removed" in words
    words = dora.page(f"/admin/claims/{claim}/refuse").by_id("main").words
    assert "stays with Alice" in words


def test_granting_unlinks_who_had_it_with_all_that_hung_on_it(world: World, claim: int, dora: Browser) -> None:
    player = world.players["alice"]
    world.says("alice", Status.LOOKING)
    path = f"/admin/claims/{claim}/grant"
    assert lands(dora.post(path, form_of(dora, path))) == "/admin/claims"
    assert "Charlie is Alice now" in dora.page("/admin/claims").by_id("flash").words
    assert (player_of(world, "charlie"), player_of(world, "alice")) == (player, None)
    with world.session() as session:
        of_player = [
            session.scalar(select(func.count()).select_from(table).where(table.player_id == player))
            for table in (Contact, StoredPreferences, Entry)
        ]
    assert of_player == [1, 0, 0], "only the new owner's Discord account is there"
    assert log_of(world)[:2] == [
        (LinkAction.PLAYER_LINKED, str(world.users["dora"]), {"guid": "guid-alice"}),
        (LinkAction.PLAYER_UNLINKED, str(world.users["dora"]), {"old_guid": "guid-alice"}),
    ]


def test_granting_to_somebody_who_is_another_player_says_what_they_give_up(world: World, dora: Browser) -> None:
    path = f"/admin/claims/{asks_for(world, 'guid-spare', who='erik')}/grant"
    assert "The claimant gives up Erik" in dora.page(path).by_id("main").words
    dora.post(path, form_of(dora, path))
    assert log_of(world)[0] == (
        LinkAction.PLAYER_CHANGED,
        str(world.users["dora"]),
        {"guid": "guid-spare", "old_guid": "guid-erik"},
    )


def test_refusing_leaves_everything_and_is_logged(world: World, claim: int, dora: Browser) -> None:
    assert lands(dora.post(f"/admin/claims/{claim}/refuse")) == "/admin/claims"
    assert player_of(world, "alice") == world.players["alice"]
    assert log_of(world)[0] == (LinkAction.CLAIM_REFUSED, str(world.users["dora"]), {"guid": "guid-alice"})


@pytest.mark.parametrize("first", ["grant", "refuse"])
@pytest.mark.parametrize("second", ["grant", "refuse"])
def test_a_claim_is_settled_once(world: World, claim: int, dora: Browser, first: str, second: str) -> None:
    forms = {act: form_of(dora, f"/admin/claims/{claim}/{act}") for act in ("grant", "refuse")}
    dora.post(f"/admin/claims/{claim}/{first}", forms[first])
    with nothing_stored(world):
        assert "settled already" in is_page(dora.post(f"/admin/claims/{claim}/{second}", forms[second]), 409)
        assert "settled already" in is_page(dora.get(f"/admin/claims/{claim}/{second}"), 409)


def test_a_profile_that_changed_hands_since_the_admin_looked_is_not_taken_away(
    world: World, claim: int, dora: Browser, alice: Browser
) -> None:
    path = f"/admin/claims/{claim}/grant"
    form = form_of(dora, path)
    alice.post("/profile/unlink")
    with nothing_stored(world):
        assert "since you looked" in is_page(dora.post(path, form), 409)
    assert dora.post(path, form_of(dora, path)).status_code == 303


def test_a_claim_that_was_taken_back_is_gone_from_the_list(
    world: World, claim: int, dora: Browser, charlie: Browser
) -> None:
    charlie.post("/profile/claim/withdraw")
    assert "No claims waiting" in dora.page("/admin/claims").words
    with world.session() as session:
        assert session.get_one(ProfileRequest, claim).was_granted is None


def test_names_full_of_markup_are_text_everywhere(world: World, dora: Browser) -> None:
    nasty = "<script>alert(1)</script>"
    with world.session() as session:
        session.get_one(User, world.users["charlie"]).display_name = nasty
        session.get_one(User, world.users["alice"]).display_name = nasty
        session.get_one(Player, world.players["alice"]).name = nasty
    claim = asks_for(world, "guid-alice", nasty)
    world.clock.forward(timedelta(seconds=1))
    for path in addresses(world, claim, [*PAGES, *CONFIRMING[:3], f"/links?q={nasty}", f"/players?q={nasty}"]):
        answer = dora.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text, path
