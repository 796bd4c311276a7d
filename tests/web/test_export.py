"""What a person may take with them, and what is gone when they go: all of theirs, and nothing of anybody else's."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from slomix.accounts import claims, roles
from slomix.accounts import service as accounts
from slomix.accounts.models import GrantedRole, LinkEvent, User
from slomix.accounts.rules import LinkAction, Role
from slomix.availability.models import Entry
from slomix.availability.rules import Status
from slomix.contacts.rules import ChannelName
from slomix.database import session as db
from slomix.deliveries.models import Delivery
from slomix.presence import service as presence
from slomix.reasons.codes import Explanation, Reason
from tests.configuration import ROOM
from tests.moments import TODAY
from tests.steps import call
from tests.web.conftest import Browse, Browser, is_page, lands, nothing_stored
from tests.workers.stage import go
from tests.world import CAST, LINKED, World

PHONES = {"alice": "+38640111111", "bob": "+38640222222"}
CHATS = {"alice": "811111111", "bob": "822222222"}


@pytest.fixture
def lived(world: World, browse: Browse) -> World:
    """Alice and Bob have done all that one can do here."""
    for name in ("alice", "bob"):
        browse(name).post("/contacts/telegram/code")
        world.has(name, ChannelName.TELEGRAM, CHATS[name])
        world.has(name, ChannelName.SIGNAL, PHONES[name])
        world.says(name, Status.LOOKING)
        world.says(name, Status.MAYBE, TODAY + timedelta(days=3))
        with world.session() as session:
            now = world.clock.now()
            past = {"player_id": world.players[name], "status": Status.MAYBE, "updated_at": now}
            session.add(Entry(day=TODAY - timedelta(days=40), **past))
            roles.grant(session, CAST[name], Role.PROMOTER, actor=CAST["dora"], now=now)
            user = session.get_one(User, world.users[name])
            claims.request_profile(
                session, user, accounts.get_profile(session, "guid-spare"), f"{name} plays it too", now=now
            )
    call(world)
    go(world, 20, 45)
    return world


def of(world: World, name: str) -> dict[str, list[str]]:
    """Every row that is about this person, by table."""
    columns = {
        "website_users": ("id", world.users[name]),
        "website_sessions": ("user_id", world.users[name]),
        "player_claims": ("user_id", world.users[name]),
        "granted_roles": ("discord_id", CAST[name]),
        "contacts": ("player_id", world.players[name]),
        "contact_link_codes": ("player_id", world.players[name]),
        "subscription_preferences": ("player_id", world.players[name]),
        "availability_entries": ("player_id", world.players[name]),
        "notifications_ledger": ("player_id", world.players[name]),
        "players": ("id", world.players[name]),
    }
    with world.session() as session:
        return {
            table: sorted(
                session.scalars(text(f"SELECT t::text FROM {table} t WHERE {column} = :value").bindparams(value=value))
            )
            for table, (column, value) in columns.items()
        }


STAYS = {"players", "notifications_ledger"}


# The download


def test_the_download_holds_everything_about_the_person(lived: World, alice: Browser) -> None:
    answer = alice.get("/profile/data.json")
    assert answer.mimetype == "application/json"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    data = json.loads(answer.text)
    assert data["account"]["discord_id"] == CAST["alice"]
    assert data["player"]["guid"] == "guid-alice"
    assert {one["channel"]: one["address"] for one in data["contacts"]} == {
        "discord": CAST["alice"],
        "telegram": CHATS["alice"],
        "signal": PHONES["alice"],
    }
    assert [one["status"] for one in data["statuses"]] == ["MAYBE", "LOOKING", "MAYBE"]
    assert [one["note"] for one in data["claims"]] == ["alice plays it too"]
    assert [one["role"] for one in data["roles"]] == ["promoter"]
    assert [one["allow_promotions"] for one in data["preferences"]] == [True]
    assert {one["event_key"] for one in data["messages"]} == {f"PROMOTE:T-15:{TODAY}", f"PROMOTE:T0:{TODAY}"}
    assert any("Game night starts at" in (one["text"] or "") for one in data["messages"])
    assert len(data["campaigns_asked_by"]) == 1
    assert len(data["logins"]) == len(of(lived, "alice")["website_sessions"])
    actions = [one["action"] for one in data["log_of_links"]]
    assert actions[:2] == ["discord_linked", "player_linked"]
    assert {"player_claimed", "role_granted"} <= set(actions)


def test_whoever_called_an_evening_finds_it_there(lived: World, bob: Browser) -> None:
    data = bob.get("/profile/data.json").get_json()
    assert [one["day"] for one in data["campaigns_called"]] == [TODAY.isoformat()]


def test_the_download_holds_nothing_about_others(lived: World, alice: Browser) -> None:
    text_ = alice.get("/profile/data.json").text
    for name in [*LINKED, "charlie"]:
        if name != "alice":
            for theirs in (CAST[name], f"guid-{name}", f"{name}_old", name.title(), PHONES.get(name), CHATS.get(name)):
                assert theirs is None or theirs not in text_, theirs


def test_no_secret_of_ours_is_in_it(lived: World, alice: Browser) -> None:
    text_ = alice.get("/profile/data.json").text
    with lived.session() as session:
        hidden = [
            *session.scalars(text("SELECT key_hash FROM website_sessions")),
            *session.scalars(text("SELECT code_hash FROM contact_link_codes")),
            *session.scalars(text("SELECT sealed FROM contacts WHERE sealed IS NOT NULL")),
            *session.scalars(text("SELECT nonce FROM notifications_ledger")),
        ]
    assert len(hidden) > 6
    assert [one for one in hidden if one in text_] == []


def test_who_is_not_linked_gets_what_there_is(world: World, charlie: Browser) -> None:
    data = charlie.get("/profile/data.json").get_json()
    assert data["account"]["display_name"] == "Charlie"
    assert "player" not in data
    assert [one["action"] for one in data["log_of_links"]] == ["discord_linked"]


def test_an_address_that_no_key_opens_is_there_without_it(lived: World, alice: Browser) -> None:
    with lived.session() as session:
        session.execute(
            text("UPDATE contacts SET sealed = 'nothing' WHERE player_id = :one AND channel = 'signal'").bindparams(
                one=lived.players["alice"]
            )
        )
    data: dict[str, Any] = alice.get("/profile/data.json").get_json()
    assert {one["channel"]: one["address"] for one in data["contacts"]}["signal"] is None


def test_a_stranger_downloads_nothing(anonymous: Browser) -> None:
    is_page(anonymous.get("/profile/data.json"), 401)


# Leaving


def test_looking_at_the_page_deletes_nothing(lived: World, alice: Browser) -> None:
    with nothing_stored(lived):
        assert "Delete my account" in alice.page("/profile/delete").buttons
        assert alice.client.post("/profile/delete").status_code == 403, "without the token of a form of ours"


def test_deleting_the_account_leaves_nothing_but_the_profile_and_the_ledger(lived: World, alice: Browser) -> None:
    before = of(lived, "alice")
    assert all(before.values()), "else there would be nothing to delete"
    assert lands(alice.post("/profile/delete")) == "/"
    assert "Your account is deleted" in alice.page("/").by_id("flash").words
    after = of(lived, "alice")
    assert {table for table, rows in after.items() if rows} == STAYS
    assert after["players"] == before["players"]


def test_the_log_keeps_what_happened_and_not_to_whom(lived: World, alice: Browser) -> None:
    with lived.session() as session:
        mine = LinkEvent.user_id == lived.users["alice"]
        before = list(session.scalars(select(LinkEvent.action).where(mine).order_by(LinkEvent.id)))
    alice.post("/profile/delete")
    with lived.session() as session:
        events = list(session.scalars(select(LinkEvent).where(mine).order_by(LinkEvent.id)))
        assert [one.action for one in events] == [*before, LinkAction.PLAYER_UNLINKED, LinkAction.DISCORD_UNLINKED]
        assert "discord_id" not in {column.name for column in LinkEvent.__table__.columns}


def test_nowhere_is_the_discord_account_or_an_address_left(lived: World, alice: Browser) -> None:
    alice.post("/profile/delete")
    with lived.session() as session:
        for table in db.Base.metadata.sorted_tables:
            rows = "\n".join(session.scalars(text(f'SELECT t::text FROM "{table.name}" t')))
            for gone in (CAST["alice"], CHATS["alice"], PHONES["alice"], "alice plays it too"):
                assert gone not in rows, table.name


def test_everybody_elses_rows_are_untouched(lived: World, alice: Browser) -> None:
    before = {name: of(lived, name) for name in LINKED if name != "alice"}
    alice.post("/profile/delete")
    assert {name: of(lived, name) for name in before} == before


def test_nothing_is_sent_to_whoever_left_for_good(lived: World, alice: Browser) -> None:
    alice.post("/profile/delete")
    boxes = (lived.discord, lived.telegram, lived.signal)
    before = [len(box.sent) for box in boxes]
    go(lived, 21)
    new = [to.value for box, seen in zip(boxes, before, strict=True) for to, _, _ in box.sent[seen:]]
    assert new, "Bob hears of the start"
    assert not {CAST["alice"], CHATS["alice"], PHONES["alice"]} & set(new)
    with lived.session() as session:
        start = (Delivery.player_id == lived.players["alice"]) & (Delivery.event_key == f"PROMOTE:T0:{TODAY}")
        assert session.scalars(select(Delivery.reason).where(start)).one() == Explanation(Reason.NOT_LINKED)


def test_the_same_person_may_come_back_and_begins_anew(lived: World, browse: Browse) -> None:
    browse("alice").post("/profile/delete")
    charlie = browse("charlie")
    assert lands(charlie.post("/profile/link", {"guid": "guid-alice"})) == "/welcome?next=/"
    data = charlie.get("/profile/data.json").get_json()
    assert data["statuses"] == []
    assert data["preferences"] == []
    assert [one["channel"] for one in data["contacts"]] == ["discord"]


def test_a_right_that_was_given_before_the_first_login_is_in_the_log(world: World, charlie: Browser) -> None:
    with world.session() as session:
        early = GrantedRole(discord_id=CAST["charlie"], role=Role.PROMOTER, granted_at=world.clock.now())
        session.add(early)
        session.flush()
        accounts.record_action(
            session,
            LinkAction.ROLE_GRANTED,
            actor="command line",
            now=world.clock.now(),
            old=None,
            new="promoter",
            grant=early.number,
        )
    log = json.loads(charlie.get("/profile/data.json").text)["log_of_links"]
    assert "role_granted" in [event["action"] for event in log]


def test_whoever_has_the_profile_next_finds_nothing_of_who_had_it_before(
    lived: World, browse: Browse, alice: Browser, charlie: Browser
) -> None:
    alice.post("/profile/unlink")
    lived.clock.forward(timedelta(days=1))
    charlie.post("/profile/link", {"guid": "guid-alice"})
    found = json.loads(browse("charlie").get("/profile/data.json").text)
    assert found["player"]["guid"] == "guid-alice"
    assert [found[topic] for topic in ("statuses", "messages", "campaigns_called", "campaigns_asked_by")] == [[]] * 4


def test_who_goes_is_in_no_picture_of_the_voice_rooms(lived: World, alice: Browser) -> None:
    with lived.session() as session:
        presence.record_voice(session, {CAST["alice"]: ROOM, CAST["bob"]: ROOM}, now=lived.clock.now())
    alice.post("/profile/delete")
    with lived.session() as session:
        assert set(presence.latest_snapshot(session).rooms) == {CAST["bob"]}
