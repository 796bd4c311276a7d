"""Each column of each table is declared: whether it is about a person, where it stands in their download, and what a
deletion leaves of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text, update

from slomix.accounts import roles
from slomix.accounts.models import ProfileRequest, User
from slomix.accounts.rules import Role
from slomix.availability.rules import Status
from slomix.campaigns.models import Campaign, Recipient
from slomix.chat.models import WaitingStatus
from slomix.contacts.rules import ChannelName
from slomix.database.session import Base
from slomix.deliveries import pausing
from slomix.planning import service as planning
from slomix.planning.models import RoomThread, TeamMember, Undo
from slomix.planning.rules import Actor, Change, Side
from slomix.presence import service as presence
from slomix.presence.rules import VoiceStatus
from slomix.privacy import unlinking
from slomix.privacy.export import collect_data
from tests.moments import TODAY
from tests.steps import call
from tests.web.conftest import Browse
from tests.workers.stage import go
from tests.world import CAST, World

OURS, NUMBER = "our own book-keeping, which says nothing about the person", "which row it is"
SECRET = "a secret of ours, or a hash of one"


DERIVED = "made from the names, for searches"


@dataclass(frozen=True)
class Personal:
    """A table with rows about a person."""

    # The topic in the download, and the columns that are not there under their own name, each with the reason.
    topic: str
    without: Mapping[str, str]
    # How the rows of a player, a user or an account are found.
    mine: str
    # What a deletion leaves: no row; or these columns empty, and the rest with a reason.
    erased: tuple[str, ...] = ()
    stays: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)


PERSONAL = {
    "website_users": Personal(
        "account",
        {"id": NUMBER, "player_id": "stands as `player`", "unsubscribe_salt": SECRET, "name_keys": DERIVED},
        "id = :user",
        renamed={
            "membership": "member_of_our_server",
            "created_at": "first_login_at",
            "links_seen_at": "new_links_seen_at",
            "must_ask_since": "links_confirmed_by_an_admin_since",
        },
    ),
    "website_sessions": Personal("logins", {"key_hash": SECRET, "user_id": NUMBER}, "user_id = :user"),
    "granted_roles": Personal(
        "roles", {"discord_id": "stands as `account`", "number": NUMBER}, "discord_id = :account"
    ),
    "player_claims": Personal(
        "claims", {"id": NUMBER, "user_id": NUMBER, "player_id": "stands as `guid`"}, "user_id = :user"
    ),
    "account_link_audit_log": Personal(
        "log_of_links",
        {"id": NUMBER, "user_id": NUMBER, "actor": "what one did oneself stands as `did_as_admin`"},
        "user_id = :user",
        stays="accountability: by the number that the account had, without anything that says whose it was",
    ),
    "players": Personal(
        "player",
        {"id": NUMBER, "created_at": "when the operator filled it in", "name_keys": DERIVED},
        "id = :player",
        stays="the profile belongs to the game's statistics",
    ),
    "contacts": Personal(
        "contacts",
        {"id": NUMBER, "player_id": NUMBER, "sealed": "stands in clear as `address`", "address_hash": SECRET},
        "player_id = :player",
    ),
    "contact_link_codes": Personal(
        "linking_codes", {"player_id": NUMBER, "code_hash": SECRET, "chat_hash": SECRET}, "player_id = :player"
    ),
    "calendar_feeds": Personal("calendar_feed", {"player_id": NUMBER, "secret_hash": SECRET}, "player_id = :player"),
    "subscription_preferences": Personal("preferences", {"player_id": NUMBER}, "player_id = :player"),
    "availability_entries": Personal(
        "statuses",
        {"id": NUMBER, "player_id": NUMBER, "looking_since": "the place in the queue", "committed_since": OURS},
        "player_id = :player",
    ),
    "campaign_recipients": Personal(
        "campaigns_asked_by",
        {"player_id": NUMBER},
        "player_id = :player",
        erased=("status", "whereabouts", "on_server", "seen_at", "came"),
        stays="how many an evening asked",
    ),
    "availability_promotion_campaigns": Personal(
        "campaigns_called",
        dict.fromkeys(
            (
                *("promoter_id", "include_available", "include_maybe", "include_late_joiners", "dry_run"),
                *("exclusive_on", "idempotency_key", "start_at", "joiners_added_at", "judged_at"),
                *("ledger_pruned_at", "endangered_since", "created_at"),
                *("came", "counted", "counted_at", "told", "cause"),
            ),
            "about the evening",
        ),
        "promoter_id = :player",
        stays="that the profile called an evening",
    ),
    "notifications_ledger": Personal(
        "messages",
        dict.fromkeys(
            (
                *("id", "player_id", "destination", "notice", "subject", "fell_back_to", "nonce", "deadline_at"),
                *("first_tried_at", "message_id", "created_at", "budget_day", "told_in", "edition"),
            ),
            OURS,
        ),
        "player_id = :player",
        erased=("text",),
        stays="that a message went to the profile",
    ),
    "delivery_attempts": Personal(
        "attempts",
        {"id": NUMBER, "delivery_id": NUMBER, "claim": OURS, "wall_at": OURS},
        "delivery_id IN (SELECT id FROM notifications_ledger WHERE player_id = :player)",
        stays="that a message went to the profile",
    ),
    "voice_states": Personal("in_voice", {"discord_id": "stands as `account`"}, "discord_id = :account"),
    "waiting_statuses": Personal(
        "statuses_without_a_player", {"discord_id": "stands as `account`"}, "discord_id = :account"
    ),
    "planning_team_members": Personal(
        "planning_rooms",
        {"session_id": "stands as `day`", "player_id": NUMBER, "place": "about the team", "committed_since": OURS},
        "player_id = :player",
    ),
    "planning_team_names": Personal(
        "team_names_suggested",
        {"id": NUMBER, "session_id": "stands as `day`", "suggested_by": NUMBER, "name_key": OURS},
        "suggested_by = :player",
    ),
    "planning_votes": Personal(
        "team_names_voted_for",
        {"session_id": "stands as `day`", "player_id": NUMBER, "team_name_id": "stands as `name`"},
        "player_id = :player",
    ),
    "planning_sessions": Personal(
        "planning_rooms_opened",
        dict.fromkeys(
            (
                *("id", "created_by", "owner_id", "version", "first_pick", "side_size", "turn_seconds"),
                *("turn_until", "turn_of", "asked_at"),
            ),
            "about the room",
        ),
        "(created_by = :player OR owner_id = :player OR turn_of = :player)",
    ),
    "planning_threads": Personal(
        "planning_threads",
        {
            "session_id": "stands as `day`",
            "members": NUMBER,
            "message_id": OURS,
            "said": "the teams",
            "error": OURS,
            "refused": OURS,
        },
        ":account = ANY(members)",
    ),
    "planning_undo": Personal(
        "planning_rooms",
        dict.fromkeys(("session_id", "number", "player_id", "change", "before"), "an earlier state of the teams"),
        "(player_id = :player OR before->'since' ? :player::text)",
    ),
    "sending_pauses": Personal(
        "did_as_admin",
        dict.fromkeys(("id", "since", "by"), "an act of an admin, which the log has"),
        "by = :user::text",
        stays="by the number that the account had",
    ),
}
# About no person, or about nobody who could be found by it.
IMPERSONAL = {
    "claimed_messages": "hashes of messages, for a day",
    "evening_events": "which event of the server is a campaign's, by a hash of what it says",
    "evening_messages": "which message stands in a room, by a hash of its text",
    "heartbeats": "processes",
    "inbox_positions": "how far a channel was read",
    "offered_choices": "what a chat, by its hash, may answer by number, for a week",
    "jobs": "what is to be done, named by rows of other tables; those of a message go with it",
    "outages": "which providers are out",
    "login_attempts": "strangers on their way to Discord, by hashes, for minutes",
    "backups": "when the last was made",
    "presence_observations": "when rooms were looked at",
}


def test_every_table_is_declared() -> None:
    assert {*PERSONAL, *IMPERSONAL} == set(Base.metadata.tables)
    assert not set(PERSONAL) & set(IMPERSONAL)


@pytest.fixture
def lived(world: World, browse: Browse) -> World:
    """Alice has done all that leaves a row."""
    alice = browse("alice")
    alice.post("/contacts/telegram/code")
    alice.post("/preferences/calendar")
    alice.call("POST", "/api/availability/link-token", {"channel_type": "telegram"})
    world.has("alice", ChannelName.SIGNAL, "+38640000011")
    for name in ("alice", "bob", "erik", "franka", "goran", "dora"):
        world.says(name, Status.LOOKING)
    call(world)
    with world.session() as session:
        now, settings = world.clock.now(), world.runtime.settings
        room, _ = planning.open_room(session, TODAY, Actor(world.players["alice"], True), settings=settings, now=now)
        made = planning.suggest_name(session, TODAY, world.players["alice"], "Foxes", now=now)
        session.flush()
        planning.vote_for_name(session, TODAY, world.players["alice"], made.id)
        session.add(RoomThread(session_id=room.id, thread_id="77", members=[CAST["alice"]], said="Alice"))
        presence.record_voice(session, {CAST["alice"]: "5"}, now=now)
        mine, account = world.players["alice"], CAST["alice"]
        session.add(
            TeamMember(session_id=room.id, player_id=mine, side=Side.A, is_captain=True, place=1, committed_since=now)
        )
        session.add(Undo(session_id=room.id, number=1, player_id=mine, change=Change.TEAMS, before={}))
        session.add(WaitingStatus(discord_id=account, day=TODAY, status=Status.MAYBE, said_at=now))
        session.add(
            ProfileRequest(user_id=world.users["alice"], player_id=world.players["goran"], note="mine", created_at=now)
        )
        roles.grant(session, account, Role.PROMOTER, actor=None, now=now)
    go(world, 20, 45)
    with world.session() as session:
        session.execute(
            update(Recipient).values(whereabouts=VoiceStatus.MISSING, on_server=False, seen_at=now, came=False)
        )
        session.execute(update(Campaign).values(promoter_id=mine))
        pausing.pause(session, by=str(world.users["alice"]), now=now)
    return world


def data_of(world: World, name: str) -> dict[str, object]:
    with world.session() as session:
        return collect_data(session, world.users[name], settings=world.runtime.settings, now=world.clock.now())


@pytest.mark.parametrize("table", PERSONAL)
def test_every_column_is_in_the_download_or_has_a_reason_not_to_be(world: World, table: str) -> None:
    personal, columns = PERSONAL[table], {column.name for column in Base.metadata.tables[table].columns}
    assert set(personal.without) <= columns
    shown = {personal.renamed.get(name, name) for name in columns - set(personal.without)}
    topics = fields_of_download(world)
    assert shown <= topics[personal.topic], "missing in the download"


def fields_of_download(world: World) -> dict[str, set[str]]:
    """The fields of each topic; of an empty one those of its query."""
    from slomix.privacy import export

    seen: dict[str, set[str]] = {}
    read = export._read

    def note(session: object, queries: dict[str, object]) -> dict[str, object]:
        for name, query in queries.items():
            seen[name] = set(query.selected_columns.keys())  # type: ignore[attr-defined]
        return read(session, queries)  # type: ignore[arg-type]

    export._read = note
    try:
        found = data_of(world, "alice")
    finally:
        export._read = read
    for name, value in found.items():
        if isinstance(value, dict):
            seen[name] = set(value)
        elif value and isinstance(value, list):
            seen[name] = set(value[0])
    return seen


def rows(world: World, table: str) -> list[dict[str, object]]:
    where = (
        PERSONAL[table]
        .mine.replace(":player::text", "cast(:player AS text)")
        .replace(":user::text", "cast(:user AS text)")
    )
    known = {"player": world.players["alice"], "user": world.users["alice"], "account": CAST["alice"]}
    values = {name: value for name, value in known.items() if f":{name}" in where}
    with world.session() as session:
        found = session.execute(text(f"SELECT * FROM {table} WHERE {where}").bindparams(**values))
        return [dict(row) for row in found.mappings()]


def test_a_deletion_leaves_what_is_declared_and_nothing_else(lived: World) -> None:
    before = {table: rows(lived, table) for table in PERSONAL}
    assert {table for table, found in before.items() if not found} == set()
    for table, personal in PERSONAL.items():
        filled = {name for row in before[table] for name, value in row.items() if value is not None}
        assert set(personal.erased) <= filled, f"{table}: nothing there that a deletion could leave"
    with lived.session() as session:
        unlinking.delete_account(session, session.get_one(User, lived.users["alice"]), now=lived.clock.now())
    left = {table: rows(lived, table) for table in PERSONAL}
    assert {table for table, found in left.items() if found} <= {
        table for table, personal in PERSONAL.items() if personal.stays
    }
    for table, found in left.items():
        for row in found:
            assert {row[name] for name in PERSONAL[table].erased} <= {None, ""}, table


def test_nobody_is_kept_who_never_came(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers in a voice room have no row."""
    from slomix.processes.discord.client import VoiceClient

    class Client:
        _runtime = world.runtime

    rooms = {CAST["alice"]: "5", CAST["charlie"]: "5", "424242424242424242": "5"}
    VoiceClient._write_rooms(Client(), rooms, world.clock.now())  # type: ignore[arg-type]
    with world.session() as session:
        assert set(presence.latest_snapshot(session).rooms) == {CAST["alice"]}
