"""Somebody else has my profile; an admin confirms links; and only members of our server may have one (W56)."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from slomix.accounts import claims
from slomix.accounts import service as accounts
from slomix.accounts.models import LinkEvent, ProfileRequest, User
from slomix.accounts.rules import LinkAction, Membership
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.channels.base import SendError
from slomix.contacts.models import Contact, LinkCode, StoredPreferences
from slomix.contacts.rules import ChannelName
from slomix.reasons.codes import Reason
from tests.moments import TODAY
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
from tests.world import CAST, World

NOTE = 'I am <b>Alice</b>, "ask" Bob & <script>alert(1)</script>'


def claims_of(world: World, name: str) -> list[ProfileRequest]:
    with world.session() as session:
        query = select(ProfileRequest).where(ProfileRequest.user_id == world.users[name]).order_by(ProfileRequest.id)
        return list(session.scalars(query.execution_options(populate_existing=True)))


def player_of(world: World, name: str) -> int | None:
    with world.session() as session:
        return session.scalar(select(User.player_id).where(User.id == world.users[name]))


def actions(world: World, name: str) -> list[LinkAction]:
    with world.session() as session:
        query = select(LinkEvent.action).where(LinkEvent.user_id == world.users[name]).order_by(LinkEvent.id)
        return list(session.scalars(query))


def hangs_on(world: World, player: int) -> dict[str, int]:
    """What is stored about a player beside the profile."""
    with world.session() as session:
        return {
            table.__tablename__: session.scalar(
                select(func.count()).select_from(table).where(table.player_id == player)
            )
            or 0
            for table in (Contact, StoredPreferences, LinkCode, Entry)
        }


def grants(admin: Browser, claim: ProfileRequest) -> None:
    """An admin looks at the page of a claim and presses Grant it."""
    path = f"/admin/claims/{claim.id}/grant"
    fields = [one.attributes for one in admin.page(path).by_id("main").all("input")]
    lands(admin.post(path, {field["name"]: field["value"] for field in fields}))


def test_a_profile_that_somebody_has_can_be_asked_for(world: World, charlie: Browser) -> None:
    page = charlie.page("/profile?q=alice")
    assert "Ask an admin" in page.buttons
    assert not [one for one in page.all("form") if one.attributes.get("action") == "/profile/link"]
    assert lands(charlie.post("/profile/claim", {"guid": "guid-alice", "note": f"  {NOTE}\n"})) == "/profile"
    [claim] = claims_of(world, "charlie")
    assert (claim.player_id, claim.note, claim.settled_at) == (world.players["alice"], NOTE, None)
    assert player_of(world, "charlie") is None
    assert player_of(world, "alice") == world.players["alice"], "asking changes nothing"
    assert actions(world, "charlie")[-1] is LinkAction.PLAYER_CLAIMED
    page = charlie.page("/profile")
    assert "You asked for Alice" in " ".join(page.words.replace("Alice Alice", "Alice").split())
    assert "Withdraw" in page.buttons


def test_the_note_is_text_for_the_admin_who_reads_it(world: World, charlie: Browser, dora: Browser) -> None:
    charlie.post("/profile/claim", {"guid": "guid-alice", "note": NOTE})
    answer = dora.get("/admin/claims")
    assert answer.status_code == 200
    assert "<script>alert(1)" not in answer.text
    assert "<b>Alice</b>" not in answer.text
    assert NOTE in dora.page("/admin/claims").words


def test_a_note_that_is_too_long_is_refused(world: World, charlie: Browser) -> None:
    with nothing_stored(world):
        answer = charlie.post("/profile/claim", {"guid": "guid-alice", "note": "x" * 501})
    assert "500" in is_page(answer, 422)
    assert charlie.post("/profile/claim", {"guid": "guid-alice", "note": "x" * 500}).status_code == 303


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
def test_one_claim_at_a_time(world: World, charlie: Browser, htmx: bool) -> None:
    charlie.post("/profile/claim", {"guid": "guid-alice"})
    with nothing_stored(world):
        answer = charlie.post("/profile/claim", {"guid": "guid-erik"}, htmx=htmx)
    assert "already" in (is_fragment if htmx else is_page)(answer, 409)
    with nothing_stored(world):
        assert charlie.post("/profile/claim", {"guid": "guid-alice"}).status_code == 303, "the same twice is one"


def test_a_claim_can_be_taken_back_and_made_anew(world: World, charlie: Browser) -> None:
    charlie.post("/profile/claim", {"guid": "guid-alice"})
    assert lands(charlie.post("/profile/claim/withdraw")) == "/profile"
    page = charlie.page("/profile")
    assert "Request withdrawn" in page.by_id("flash").words
    assert "Withdraw" not in page.buttons
    assert charlie.post("/profile/claim", {"guid": "guid-erik"}).status_code == 303
    assert [(one.settled_at is None, one.was_granted) for one in claims_of(world, "charlie")] == [
        (False, None),
        (True, None),
    ]


def test_taking_back_touches_nobody_elses_claim(world: World, charlie: Browser, bob: Browser) -> None:
    charlie.post("/profile/claim", {"guid": "guid-alice"})
    bob.post("/profile/claim/withdraw")
    assert claims_of(world, "charlie")[0].settled_at is None


@pytest.mark.parametrize(("guid", "status"), [("nobody", 404), ("", 404), ("' OR 1=1 --", 404)])
def test_what_nobody_knows_cannot_be_asked_for(world: World, charlie: Browser, guid: str, status: int) -> None:
    with nothing_stored(world):
        is_page(charlie.post("/profile/claim", {"guid": guid}), status)
    is_page(charlie.post("/profile/link", {"guid": guid}), status)
    assert player_of(world, "charlie") is None


def test_ones_own_profile_need_not_be_asked_for(world: World, alice: Browser) -> None:
    alice.post("/profile/claim", {"guid": "guid-alice"})
    assert claims_of(world, "alice") == []


def test_linking_to_another_profile_settles_what_was_asked_for(world: World, charlie: Browser) -> None:
    charlie.post("/profile/claim", {"guid": "guid-alice"})
    assert charlie.post("/profile/link", {"guid": "guid-spare"}).status_code == 303
    assert claims_of(world, "charlie")[0].settled_at is not None


def test_a_granted_claim_leaves_nothing_of_who_had_the_profile(
    world: World, browse: Browse, charlie: Browser, dora: Browser
) -> None:
    player = world.players["alice"]
    alice = browse("alice")
    world.has("alice", ChannelName.TELEGRAM, "4242")
    world.says("alice", Status.LOOKING)
    alice.post("/contacts/signal/code")
    assert hangs_on(world, player) == {
        "contacts": 2,
        "subscription_preferences": 1,
        "contact_link_codes": 1,
        "availability_entries": 1,
    }
    charlie.post("/profile/claim", {"guid": "guid-alice"})
    [claim] = claims_of(world, "charlie")
    grants(dora, claim)
    assert (player_of(world, "alice"), player_of(world, "charlie")) == (None, player)
    assert hangs_on(world, player) == {
        "contacts": 1,  # Charlie's Discord account, and no consent
        "subscription_preferences": 0,
        "contact_link_codes": 0,
        "availability_entries": 0,
    }
    with world.session() as session:
        assert session.scalars(select(Contact.channel).where(Contact.player_id == player)).one() == "discord"
    is_page(alice.get("/welcome"), 403)
    assert charlie.get("/welcome").status_code == 200


def test_the_log_names_the_admin_who_granted_a_claim(world: World, charlie: Browser, dora: Browser) -> None:
    charlie.post("/profile/claim", {"guid": "guid-alice"})
    grants(dora, claims_of(world, "charlie")[0])
    with world.session() as session:
        found = session.execute(
            select(LinkEvent.action, LinkEvent.user_id, LinkEvent.actor).where(
                LinkEvent.actor == str(world.users["dora"])
            )
        ).all()
    assert set(found) == {
        (LinkAction.PLAYER_UNLINKED, world.users["alice"], str(world.users["dora"])),
        (LinkAction.PLAYER_LINKED, world.users["charlie"], str(world.users["dora"])),
    }


# Where an admin confirms every link


@pytest.fixture
def strict(world: World) -> World:
    return with_settings(world, player_link_approval=True)


def test_where_an_admin_confirms_links_a_link_is_a_claim(strict: World) -> None:
    app = make_app(strict.runtime)
    charlie, dora = browser_of(app, strict, "charlie"), browser_of(app, strict, "dora")
    assert "An admin confirms it" in charlie.page("/profile").words
    assert lands(charlie.post("/profile/link", {"guid": "guid-spare", "next": "/calendar"})) == "/profile"
    assert player_of(strict, "charlie") is None
    is_page(charlie.post(f"/day/{TODAY}/status", {"status": "LOOKING"}), 403)
    [claim] = claims_of(strict, "charlie")
    grants(dora, claim)
    assert player_of(strict, "charlie") is not None
    assert charlie.post(f"/day/{TODAY}/status", {"status": "LOOKING"}).status_code in {200, 303}


def test_where_an_admin_confirms_links_a_taken_profile_is_a_conflict_and_a_second_wish_too(strict: World) -> None:
    charlie = browser_of(make_app(strict.runtime), strict, "charlie")
    assert "Alice is already linked" in is_page(charlie.post("/profile/link", {"guid": "guid-alice"}), 409)
    assert claims_of(strict, "charlie") == []
    charlie.post("/profile/link", {"guid": "guid-spare"})
    assert lands(charlie.post("/profile/link", {"guid": "guid-spare"})) == "/profile", "the same wish twice is one"
    assert len(claims_of(strict, "charlie")) == 1


def test_where_an_admin_confirms_links_changing_waits_and_unlinking_does_not(strict: World) -> None:
    alice = browser_of(make_app(strict.runtime), strict, "alice")
    alice.post("/profile/link", {"guid": "guid-spare"})
    assert player_of(strict, "alice") == strict.players["alice"]
    alice.post("/profile/unlink")
    assert player_of(strict, "alice") is None


# Who is in our Discord server


def membership(world: World, name: str) -> Membership:
    with world.session() as session:
        return session.scalars(select(User.membership).where(User.id == world.users[name])).one()


@pytest.mark.parametrize("path", ["/profile/link", "/profile/claim"])
def test_who_is_not_in_our_server_gets_no_player(world: World, charlie: Browser, path: str) -> None:
    world.lookup.left.add(CAST["charlie"])
    assert "Discord server" in is_page(charlie.post(path, {"guid": "guid-spare"}), 403)
    assert player_of(world, "charlie") is None
    assert claims_of(world, "charlie") == []
    world.lookup.left.clear()
    assert charlie.post(path, {"guid": "guid-spare"}).status_code == 303, "after joining they do"


def test_what_discord_said_is_remembered(world: World, charlie: Browser) -> None:
    assert membership(world, "charlie") is Membership.UNKNOWN
    charlie.post("/profile/link", {"guid": "guid-spare"})
    assert membership(world, "charlie") is Membership.MEMBER


@pytest.mark.parametrize("path", ["/profile/link", "/profile/claim", "/profile/membership"])
def test_while_discord_is_silent_nobody_gets_a_player(world: World, charlie: Browser, path: str) -> None:
    world.lookup.error = SendError(Reason.DISCORD_NOT_REACHED, "ConnectError")
    with nothing_stored(world):
        assert "Discord does not answer" in is_page(charlie.post(path, {"guid": "guid-spare"}), 503)


def test_where_no_server_is_configured_nobody_is_asked(world: World) -> None:
    world.lookup.left.add(CAST["charlie"])
    free = replace(world, runtime=replace(world.runtime, guild_lookup=None))
    charlie = browser_of(make_app(free.runtime), free, "charlie")
    assert charlie.post("/profile/link", {"guid": "guid-spare"}).status_code == 303
    assert player_of(world, "charlie") is not None
    assert membership(world, "charlie") is Membership.UNKNOWN


def test_where_an_admin_confirms_links_ones_own_profile_is_no_claim(strict: World) -> None:
    browser_of(make_app(strict.runtime), strict, "alice").post("/profile/link", {"guid": "guid-alice"})
    with strict.session() as session:
        assert claims.pending_requests(session) == []


def test_without_a_server_whoever_had_left_one_belongs_again(world: World) -> None:
    with world.session() as session:
        accounts.record_membership(session, session.get_one(User, world.users["alice"]), False, now=world.clock.now())
    nowhere = replace(world, runtime=replace(world.runtime, guild_lookup=None))
    alice = browser_of(make_app(nowhere.runtime), nowhere, "alice")
    alice.post("/profile/membership")
    assert alice.get("/preferences").status_code == 200
    assert "You are" in alice.get("/profile").text
