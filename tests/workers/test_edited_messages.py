"""Session ready is true, then not, then again: its messages are edited, and nobody gets a new one."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import select

from slomix.availability import service as availability
from slomix.availability import triggers
from slomix.availability import undo as undoing
from slomix.availability.notices import NOTICES
from slomix.availability.rules import Status
from slomix.availability.triggers import READY_EDITS, UNDO_FOR
from slomix.channels.base import Message, MessageEditor, ProviderDown, RateLimited, SendError
from slomix.channels.discord import Discord
from slomix.channels.signal import Signal
from slomix.channels.telegram import Telegram
from slomix.contacts.models import Contact
from slomix.contacts.rules import ChannelName
from slomix.deliveries import pausing
from slomix.deliveries.models import Delivery
from slomix.deliveries.notices import EditedNotice
from slomix.dev.simulator.people import PUBLIC_KEY
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from slomix.reasons.codes import Reason
from tests.moments import TODAY, at
from tests.services.days import says
from tests.workers.pump import pump
from tests.workers.stage import READY, outcomes, ready
from tests.world import Peopled, World, build_world

ROOM = "900000000000000004"
TRUE, FALSE = "6 players are looking to play tonight.", "Not 6 any more: 5 players are looking to play tonight."


def clears(world: World, name: str) -> None:
    says(world, name, None)  # type: ignore[arg-type]


def texts(world: World) -> list[str]:
    """What stands in Alice's DM and in the room now, by its first sentence."""
    return [text.splitlines()[0].split(" Join in")[0] for text in world.discord.texts]


def settle(world: World) -> None:
    """Let the time pass in which a change can be undone, and run what is due."""
    world.clock.forward(UNDO_FOR)
    pump(world)


@pytest.fixture
def announced(peopled: Peopled) -> World:
    """Alice and the room were told that a session is ready."""
    world = build_world(peopled, announce_enabled=True, announce_channel_id=ROOM, discord_public_key=PUBLIC_KEY)
    world.prefers("alice", session_ready=True)
    learned(world, "alice")
    ready(world)
    pump(world)
    assert texts(world) == [TRUE, TRUE]
    return world


def learned(world: World, name: str) -> None:
    """The DM channel of somebody is known, as after any message."""
    with world.session() as session:
        session.query(Contact).filter_by(player_id=world.players[name]).update({"learned": f"dm-{name}"})


@contextmanager
def edits(world: World, *answers: SendError | None) -> Iterator[list[tuple[str, str, Message]]]:
    """Record the edits; the provider answers the first of them so."""
    made: list[tuple[str, str, Message]] = []
    edit, left = world.discord.edit, list(answers)

    def record(room: str, message_id: str, message: Message) -> None:
        made.append((room, message_id, message))
        answer = left.pop(0) if left else None
        if answer is not None:
            raise answer
        edit(room, message_id, message)

    world.discord.edit = record  # type: ignore[method-assign,assignment]
    yield made
    world.discord.edit = edit  # type: ignore[method-assign]


def test_it_is_edited_when_it_is_no_longer_true_and_back_when_it_is_again(announced: World) -> None:
    says(announced, "erik", Status.MAYBE)
    settle(announced)
    assert texts(announced) == [FALSE, FALSE]
    clears(announced, "franka")
    settle(announced)
    assert texts(announced) == [FALSE.replace("5", "4")] * 2, "the newest state"
    says(announced, "erik", Status.LOOKING)
    says(announced, "franka", Status.LOOKING)
    settle(announced)
    assert texts(announced) == [TRUE, TRUE]
    assert len(announced.discord.sent) == 2, "never a new message"


def test_nothing_is_edited_that_can_still_be_undone(announced: World) -> None:
    with edits(announced) as made:
        clears(announced, "erik")
        pump(announced)
        assert made == []
        says(announced, "erik", Status.LOOKING)
        settle(announced)
    assert made == []
    assert texts(announced) == [TRUE, TRUE]


@pytest.mark.parametrize("change", ["unlinked", "undone", "written elsewhere"])
def test_a_change_that_tells_nobody_is_found_all_the_same(announced: World, change: str) -> None:
    """Whatever writes a status: the job looks again."""
    if change == "undone":
        with announced.session() as session:
            player, now = announced.players["erik"], announced.clock.now()
            before = undoing.lock_entry(session, player, TODAY)
            assert before is not None
            earlier = undoing.EntryState(Status.MAYBE, None, None, now)
            token = undoing.sign(undoing.StatusChange(player, TODAY, earlier, before, now), announced.runtime.settings)
            undoing.undo(session, token, player, TODAY, settings=announced.runtime.settings, today=TODAY, now=now)
    elif change == "unlinked":
        with announced.session() as session:
            availability.clear_upcoming(session, announced.players["erik"], TODAY)
    else:
        announced.says("erik", Status.NOT_PLAYING)
    pump(announced)
    assert texts(announced) == [FALSE, FALSE]


def test_an_edit_keeps_the_link_that_stops_the_buttons_and_what_its_reader_said(announced: World) -> None:
    with edits(announced) as made:
        says(announced, "erik", Status.MAYBE)
        settle(announced)
    by_room = {room: message for room, _, message in made}
    assert set(by_room) == {"dm-alice", ROOM}
    text = by_room["dm-alice"].text
    assert "/stop/" in text
    assert "…" not in text
    assert text.endswith("\n→ **Today**: Looking")
    assert by_room[ROOM].text.splitlines() == [FALSE + " Join in: http://127.0.0.1:7000/"]
    assert [button.label for button in by_room["dm-alice"].buttons][-1] == "Mute"


def test_a_campaigns_start_ends_it(announced: World) -> None:
    announced.clock.move_to(at(21))
    says(announced, "erik", Status.MAYBE)
    settle(announced)
    assert texts(announced) == [TRUE, TRUE], "the evening has begun"
    with announced.session() as session:
        assert session.scalars(select(Job.status).where(Job.kind == READY_EDITS)).one() is JobStatus.SENT


def test_it_is_retried_until_it_stands_there(announced: World) -> None:
    with edits(
        announced,
        ProviderDown(Reason.DISCORD_NOT_REACHED, "503"),
        RateLimited(Reason.DISCORD_IS_BUSY),
        ProviderDown(Reason.DISCORD_NOT_REACHED, "503"),
    ):
        says(announced, "erik", Status.MAYBE)
        for _ in range(6):
            announced.clock.forward(UNDO_FOR)
            pump(announced)
    assert texts(announced) == [FALSE, FALSE]


def test_one_that_cannot_be_edited_holds_up_no_other_and_is_left_until_things_change(announced: World) -> None:
    gone = SendError(Reason.DISCORD_SAID, "Unknown Message", permanent=True)
    with edits(announced, gone) as made:
        says(announced, "erik", Status.MAYBE)
        settle(announced)
        assert len(made) == 2
        settle(announced)
        assert len(made) == 2, "it is not tried again and again"
    assert sorted(texts(announced)) == sorted([TRUE, FALSE])


def test_who_is_unlinked_or_left_is_not_written_to(announced: World) -> None:
    with announced.session() as session:
        session.query(Contact).filter_by(player_id=announced.players["alice"]).delete()
    with edits(announced) as made:
        says(announced, "erik", Status.MAYBE)
        settle(announced)
    assert [room for room, _, _ in made] == [ROOM]


def test_while_sending_is_paused_nothing_is_edited(announced: World) -> None:
    with announced.session() as session:
        pausing.pause(session, by="test", now=announced.clock.now())
    says(announced, "erik", Status.MAYBE)
    settle(announced)
    assert texts(announced) == [TRUE, TRUE]
    with announced.session() as session:
        pausing.resume(session, by="test", now=announced.clock.now())
    settle(announced)
    assert texts(announced) == [FALSE, FALSE]


def test_a_change_while_an_edit_is_under_way_is_edited_next(announced: World) -> None:
    edit = announced.discord.edit

    def change_meanwhile(room: str, message_id: str, message: Message) -> None:
        announced.discord.edit = edit  # type: ignore[method-assign]
        edit(room, message_id, message)
        clears(announced, "franka")

    announced.discord.edit = change_meanwhile  # type: ignore[method-assign,assignment]
    says(announced, "erik", Status.MAYBE)
    settle(announced)
    settle(announced)
    assert texts(announced) == [FALSE.replace("5", "4")] * 2


def test_on_telegram_it_is_edited_too(peopled: Peopled) -> None:
    world = build_world(peopled)
    world.prefers("alice", session_ready=True)
    world.has("alice", ChannelName.TELEGRAM, "4711")
    ready(world)
    pump(world)
    rooms = []
    edit = world.telegram.edit

    def record(room: str, message_id: str, message: Message) -> None:
        rooms.append(room)
        edit(room, message_id, message)

    world.telegram.edit = record  # type: ignore[method-assign,assignment]
    clears(world, "erik")
    settle(world)
    assert rooms == ["4711"]
    assert world.telegram.texts[0].startswith(FALSE)


def test_it_is_one_job_and_the_ledger_keeps_what_was_sent(announced: World) -> None:
    for _ in range(3):
        says(announced, "erik", Status.MAYBE)
        settle(announced)
        says(announced, "erik", Status.LOOKING)
        settle(announced)
    with announced.session() as session:
        assert session.query(Job).filter_by(kind=READY_EDITS).count() == 1
        rows = session.query(Delivery).all()
        assert all((row.text or "").startswith(TRUE) for row in rows)
        assert {row.edition for row in rows} == {None}
    assert outcomes(announced)["alice"] == (READY, "sent", None)


def test_so_many_looking_and_the_daily_question_are_not_edited() -> None:
    edited = {notice.name for notice in NOTICES if isinstance(notice, EditedNotice)}
    assert edited == {notice.name for notice in NOTICES} - {triggers.LOOKING, triggers.DAILY_REMINDER}


def test_which_channels_can_edit() -> None:
    discord = Discord("http://127.0.0.1:9", "token", "1")
    signal = Signal("http://127.0.0.1:9", "+38640123456")
    telegram = Telegram("http://127.0.0.1:9", "token")
    assert isinstance(discord, MessageEditor)
    assert isinstance(telegram, MessageEditor)
    assert not isinstance(signal, MessageEditor)


def test_without_a_message_to_edit_the_job_waits(announced: World) -> None:
    with announced.session() as session:
        job = session.scalars(select(Job).where(Job.kind == READY_EDITS)).one()
        assert job.status is JobStatus.PENDING
        run = partial(execute, announced.runtime, dispatch.HANDLERS[READY_EDITS], job.id)
    assert run() is None, "nobody has woken it"
