"""The voice check: who counts as missing, by which knowledge, and what is said of who is on the game server."""

from datetime import time, timedelta

import pytest
from sqlalchemy import select, update

from slomix.accounts.models import Player
from slomix.availability.rules import Status
from slomix.campaigns import rules
from slomix.campaigns.models import Recipient
from slomix.channels.base import ProviderDown, RateLimited, SendError
from slomix.contacts.rules import QuietHours
from slomix.deliveries.models import Delivery
from slomix.jobs.rules import JobStatus
from slomix.presence import service as presence
from slomix.presence.models import Observation
from slomix.reasons.codes import Reason
from tests.configuration import AFK, ROOM
from tests.moments import at
from tests.steps import call, jobs_of, latest
from tests.workers.pump import pump
from tests.workers.stage import EVERYBODY, FOLLOW_UP, ON_SERVER, START, go, in_voice, summary, told
from tests.world import Peopled, World, build_world

ELSEWHERE = "900000000000000077"


@pytest.fixture
def begun(called: World) -> World:
    """The start has gone out, and the voice check is due."""
    go(called, 21)
    called.clock.move_to(at(21, 0, 30))
    return called


def asked_again(world: World) -> set[str]:
    """Who got a follow-up."""
    openings = (FOLLOW_UP, ON_SERVER)
    return {name for name in EVERYBODY if any(line.startswith(openings) for line in told(world, name))}


def on_server(world: World) -> dict[str, bool | None]:
    by_player = {player_id: name for name, player_id in world.players.items()}
    with world.session() as session:
        rows = session.execute(select(Recipient.player_id, Recipient.on_server))
        return {by_player[row.player_id]: row.on_server for row in rows}


def renamed(world: World, name: str, *, to: str, aliases: list[str]) -> None:
    with world.session() as session:
        session.execute(update(Player).where(Player.id == world.players[name]).values(name=to, aliases=aliases))


def looked(world: World, *names: str, ago: timedelta) -> None:
    """The Discord process last saw these in the gaming room so long ago."""
    with world.session() as session:
        seen = {world.discord_ids[name]: ROOM for name in names}
        presence.record_voice(session, seen, now=world.clock.now() - ago)


# Who is missing, by which knowledge


def test_a_fresh_picture_is_used_and_discord_is_not_asked(begun: World) -> None:
    begun.lookup.error = SendError(Reason.OTHER, "nobody may ask this")
    looked(begun, "alice", "bob", "erik", ago=timedelta(seconds=20))
    pump(begun)
    assert asked_again(begun) == {"franka"}


def test_a_stale_picture_is_not_used_and_discord_is_asked(begun: World) -> None:
    looked(begun, "alice", "bob", "erik", "franka", ago=timedelta(seconds=91))
    begun.lookup.rooms = {begun.discord_ids["bob"]: ROOM, begun.discord_ids["erik"]: ROOM}
    pump(begun)
    assert asked_again(begun) == {"alice", "franka"}
    assert summary(begun)[:2] == ["Game night is on – 2 of 4 in voice at 21:00.", "Waiting for: Alice, Franka"]


def test_a_picture_from_before_somebody_was_told_says_nothing_of_their_absence(begun: World) -> None:
    """Franka was told late, and came because of that."""
    with begun.session() as session:
        franka = Delivery.player_id == begun.players["franka"]
        session.execute(update(Delivery).where(franka).values(settled_at=at(21, 0, 15)))
    in_voice(begun, alice=ROOM, bob=ROOM, erik=ROOM)
    pump(begun)
    assert asked_again(begun) == set(), "she has not had half a minute"
    begun.clock.move_to(at(21, 0, 45))
    with begun.session() as session:
        session.execute(update(Observation).values(observed_at=at(21, 0, 15)))
    begun.lookup.rooms = {begun.discord_ids[name]: ROOM for name in EVERYBODY}
    pump(begun)
    assert asked_again(begun) == set()
    assert summary(begun)[0] == "Game night is on – 4 of 4 in voice at 21:00."


def test_where_nobody_ever_looked_discord_is_asked(begun: World) -> None:
    begun.lookup.rooms = {begun.discord_ids[name]: ROOM for name in EVERYBODY[:3]}
    pump(begun)
    assert asked_again(begun) == {"franka"}


def test_rooms_mean_the_same_however_they_are_known(begun: World) -> None:
    rooms = {"alice": ROOM, "bob": ELSEWHERE, "erik": AFK}
    begun.lookup.rooms = {begun.discord_ids[name]: room for name, room in rooms.items()}
    pump(begun)
    assert asked_again(begun) == {"erik", "franka"}


def test_the_afk_room_is_not_here_and_another_room_is(begun: World) -> None:
    in_voice(begun, alice=ROOM, bob=ELSEWHERE, erik=AFK)
    pump(begun)
    assert asked_again(begun) == {"erik", "franka"}


def test_one_look_up_that_fails_makes_the_whole_try_fail(begun: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {begun.discord_ids[name]: ROOM for name in EVERYBODY[:3]}
    failing = [True]

    def voice_channel_of(discord_id: str) -> str | None:
        if discord_id == begun.discord_ids["erik"] and failing:
            raise SendError(Reason.DISCORD_ANSWERED, "503")
        return answers.get(discord_id)

    monkeypatch.setattr(begun.lookup, "voice_channel_of", voice_channel_of)
    pump(begun)
    assert asked_again(begun) == set(), "nobody is called missing on half of the answers"
    job = jobs_of(begun, latest(begun))[rules.VOICE_CHECK]
    assert (job.status, job.attempts) == (JobStatus.PENDING, 1)
    failing.clear()
    begun.clock.forward(timedelta(seconds=3))
    pump(begun)
    assert asked_again(begun) == {"franka"}


def test_being_asked_to_slow_down_uses_up_no_try(begun: World) -> None:
    begun.lookup.error = RateLimited(Reason.DISCORD_IS_BUSY, retry_after=timedelta(seconds=1))
    pump(begun)
    job = jobs_of(begun, latest(begun))[rules.VOICE_CHECK]
    assert (job.status, job.attempts) == (JobStatus.PENDING, 0)
    begun.lookup.error = None
    begun.lookup.rooms = {begun.discord_ids[name]: ROOM for name in EVERYBODY}
    begun.clock.forward(timedelta(seconds=3))
    pump(begun)
    assert summary(begun)[0] == "Game night is on – 4 of 4 in voice at 21:00."


def test_when_discord_stays_silent_nobody_is_missing_and_the_game_server_is_not_asked(begun: World) -> None:
    begun.lookup.error = ProviderDown(Reason.DISCORD_NOT_REACHED, "ConnectError")
    begun.game_server.on_it = ["Franka"]
    for minutes in range(1, 22):
        go(begun, 21, minutes)
    assert asked_again(begun) == set()
    assert set(on_server(begun).values()) == {None}
    assert sum("couldn’t see who’s in voice" in text for text in begun.discord.texts) == 2
    assert not any("Franka" in text or "on the server" in text.lower() for text in begun.discord.texts)


# On the server, not in voice


def test_who_is_on_the_server_and_not_in_voice_is_told_so_and_the_room_too(begun: World) -> None:
    renamed(begun, "franka", to="Franka", aliases=["^6fr^7nk"])
    begun.game_server.on_it = ["^1Alice", "^*FR^xnK ", "^5stranger", ""]
    in_voice(begun, alice=ROOM, bob=ROOM)
    pump(begun)
    assert told(begun, "franka")[-1] == ON_SERVER
    assert told(begun, "erik")[-1].startswith(FOLLOW_UP)
    assert told(begun, "erik")[-1] != ON_SERVER
    assert on_server(begun) == {"alice": None, "bob": None, "erik": False, "franka": True}
    assert summary(begun) == [
        "Game night is on – 2 of 4 in voice at 21:00.",
        "Waiting for: Erik, Franka",
        "On the server, not in voice: Franka",
        "follow-up 2/2",
    ]


@pytest.mark.parametrize(("franka", "seen"), [("zsc", (False, False)), ("zsd", (True, False))])
def test_accents_make_no_other_name_and_nobody_is_taken_for_another(
    begun: World, franka: str, seen: tuple[bool, bool]
) -> None:
    renamed(begun, "erik", to="žŠč", aliases=[])
    renamed(begun, "franka", to=franka, aliases=[])
    begun.game_server.on_it = ["^1ZS^2Č"]
    in_voice(begun, alice=ROOM, bob=ROOM)
    pump(begun)
    assert (on_server(begun)["erik"], on_server(begun)["franka"]) == seen


def test_without_telemetry_there_is_no_note_and_nothing_fails(begun: World) -> None:
    assert begun.game_server.on_it is None
    in_voice(begun, alice=ROOM, bob=ROOM, erik=ROOM)
    pump(begun)
    assert asked_again(begun) == {"franka"}
    assert told(begun, "franka")[-1] != ON_SERVER
    assert set(on_server(begun).values()) == {None}
    assert "server" not in "\n".join(summary(begun))
    assert jobs_of(begun, latest(begun))[rules.VOICE_CHECK].status is JobStatus.SENT


def test_when_all_are_here_the_server_is_not_asked(begun: World, monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[bool] = []

    def names() -> list[str]:
        questions.append(True)
        return []

    monkeypatch.setattr(begun.game_server, "player_names", names)
    in_voice(begun, alice=ROOM, bob=ROOM, erik=ROOM, franka=ROOM)
    pump(begun)
    assert questions == []
    assert summary(begun) == ["Game night is on – 4 of 4 in voice at 21:00.", "Everybody is here. Have fun!"]


def test_who_is_quiet_or_withdrew_is_not_named_as_on_the_server_either(begun: World) -> None:
    begun.prefers("alice", quiet=QuietHours(time(20), time(23)))
    begun.says("erik", Status.NOT_PLAYING)
    begun.game_server.on_it = ["Alice", "Erik", "Franka"]
    in_voice(begun, bob=ROOM)
    pump(begun)
    assert "On the server, not in voice: Franka" in summary(begun)
    assert not any(name in line for name in ("Alice", "Erik") for line in summary(begun))


def test_who_came_to_voice_meanwhile_is_not_named_as_missing_there(begun: World) -> None:
    begun.game_server.on_it = ["Erik", "Franka"]
    in_voice(begun, alice=ROOM, bob=ROOM)
    begun.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "503"), SendError(Reason.DISCORD_ANSWERED, "503")]
    pump(begun)
    begun.clock.move_to(at(21, 0, 50))
    in_voice(begun, alice=ROOM, bob=ROOM, erik=ROOM)
    pump(begun)
    assert "On the server, not in voice: Franka" in summary(begun)


def test_a_follow_up_that_leaves_long_after_does_not_say_who_was_seen_then(begun: World) -> None:
    begun.game_server.on_it = ["Franka"]
    in_voice(begun, alice=ROOM, bob=ROOM, erik=ROOM)
    begun.discord.answers = [SendError(Reason.DISCORD_ANSWERED, "503")]
    pump(begun)
    assert on_server(begun)["franka"] is True
    begun.clock.move_to(at(21, 5))
    in_voice(begun, alice=ROOM, bob=ROOM, erik=ROOM)
    pump(begun)
    assert told(begun, "franka")[-1].startswith(FOLLOW_UP)
    assert told(begun, "franka")[-1] != ON_SERVER


def test_where_names_are_off_the_room_hears_a_number(peopled: Peopled) -> None:
    world = build_world(peopled, summary_names=False)
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    go(world, 21)
    world.clock.move_to(at(21, 0, 30))
    world.game_server.on_it = ["Erik", "Franka"]
    in_voice(world, alice=ROOM)
    pump(world)
    assert summary(world)[1:3] == ["Waiting for: 3", "On the server, not in voice: 2"]


def test_a_configured_server_stands_in_the_calls_of_the_evening(peopled: Peopled) -> None:
    world = build_world(peopled, game_server_host="et.example.org")
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    go(world, 20, 45)
    assert not any("/connect" in text for text in world.discord.texts)
    go(world, 21)
    world.game_server.on_it = ["Franka"]
    world.clock.move_to(at(21, 0, 30))
    in_voice(world, alice=ROOM, bob=ROOM)
    pump(world)
    with_line = [text.splitlines()[0] for text in world.discord.texts if "/connect et.example.org:27960\n" in text]
    assert with_line[:4] == [START] * 4
    assert [line[: len(FOLLOW_UP)] for line in with_line[4:]] == [FOLLOW_UP], "Erik alone: Franka is there already"
