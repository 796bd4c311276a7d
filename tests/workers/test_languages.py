"""A message is in its reader's language, and what a room reads in the community's: the first of SLOMIX_LANGUAGES."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from slomix import i18n
from slomix.availability.rules import Status
from slomix.availability.triggers import UNDO_FOR
from slomix.channels.base import Unanswered
from slomix.contacts.rules import ChannelName
from slomix.deliveries import test_message
from slomix.deliveries.models import Delivery
from slomix.dev.simulator.people import PUBLIC_KEY
from slomix.evening import service as evening
from slomix.jobs import runner
from slomix.jobs.models import Job
from slomix.jobs.rules import Outcome, Snooze
from slomix.planning.rules import Side
from slomix.processes import dispatch
from slomix.reasons.codes import Reason
from tests.configuration import AFK, SUMMARY_ROOM
from tests.moments import at
from tests.services.days import says
from tests.steps import call
from tests.workers.planned import places, tries, with_room
from tests.workers.pump import pump
from tests.workers.stage import EVERYBODY, go, in_voice, ready, summary, told
from tests.world import Peopled, World, build_world

ENGLISH = ["Game night starts at", "Game night starts now. Come and join!", "We’re starting – still coming?"]
SLOVENE = ["Igralni večer se začne ob", "Igralni večer se začenja. Pridi!", "Začenjamo – še prideš?"]
FIRST = pytest.mark.parametrize("first", ["en", "sl"])


def in_community(peopled: Peopled, first: str, **settings: object) -> World:
    """A community that speaks this language first; Erik has chosen Slovene, Franka English, the others nothing."""
    other = {"en": "sl", "sl": "en"}[first]
    world = build_world(peopled, languages=f"{first},{other}", discord_public_key=PUBLIC_KEY, **settings)
    world.speaks("erik", "sl")
    world.speaks("franka", "en")
    return world


@FIRST
def test_each_is_called_in_their_own_language_and_the_room_in_the_first(peopled: Peopled, first: str) -> None:
    world = in_community(peopled, first)
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    go(world, 20, 45)
    go(world, 21)
    world.clock.move_to(at(21, 0, 30))
    in_voice(world, erik=AFK)
    pump(world)
    assert told(world, "erik") == SLOVENE
    assert told(world, "franka") == ENGLISH
    assert told(world, "alice") == {"en": ENGLISH, "sl": SLOVENE}[first], "chose none"
    assert (
        summary(world)
        == {
            "en": [
                "Game night is on – 0 of 4 in voice at 21:00.",
                "Waiting for: Alice, Bob, Erik, Franka",
                "follow-up 4/4",
            ],
            "sl": [
                "Igralni večer teče – v govornem kanalu ob 21:00: 0 od 4.",
                "Čakamo: Alice, Bob, Erik, Franka",
                "ponovni poziv 4/4",
            ],
        }[first]
    )
    world.clock.move_to(at(21, 20, 30))
    in_voice(world, erik=AFK)
    pump(world)
    final = {"en": "Game night: 0 of 4 came to voice.", "sl": "Igralni večer: v govorni kanal je prišlo 0 od 4."}
    assert summary(world) == [final[first]]


def test_a_message_says_in_its_language_how_it_is_stopped_and_what_its_buttons_do(peopled: Peopled) -> None:
    world = in_community(peopled, "en")
    for name in EVERYBODY:
        world.says(name, Status.LOOKING)
    call(world)
    go(world, 20, 45)
    sent = {to.value: message for to, message, _ in world.discord.sent}
    erik, franka = (sent[world.discord_ids[name]] for name in ("erik", "franka"))
    assert [button.label for button in erik.buttons] == ["Pridem", "Zamudim 15 min", "Nocoj ne morem", "Utišaj"]
    assert [button.label for button in franka.buttons] == ["I'm in", "15 min late", "Can't tonight", "Mute"]
    assert "Izklopi: " in erik.text
    assert "Turn off: " in franka.text


def test_in_plain_text_the_countdown_is_in_it_too(peopled: Peopled) -> None:
    world = in_community(peopled, "en")
    world.has("erik", ChannelName.TELEGRAM, "4242")
    world.says("erik", Status.LOOKING)
    call(world)
    go(world, 20, 45)
    assert world.telegram.texts[0].startswith("Igralni večer se začne ob 21:00 (čez 15 minut). Se vidimo?")


@FIRST
def test_a_ready_session_is_told_and_edited_in_the_readers_language(peopled: Peopled, first: str) -> None:
    world = in_community(peopled, first, announce_enabled=True, announce_channel_id=SUMMARY_ROOM)
    for name in ("erik", "franka"):
        world.prefers(name, session_ready=True)
    ready(world)
    pump(world)

    def said() -> dict[str, str]:
        first_lines = [(to.value, message.text.splitlines()[0]) for to, message, _ in world.discord.sent]
        return {to: line.split(". ")[0] for to, line in first_lines}

    erik, franka = world.discord_ids["erik"], world.discord_ids["franka"]
    english, slovene = "6 players are looking to play tonight", "6 igralcev išče igro za nocoj"
    ours = {"en": english, "sl": slovene}
    assert said() == {erik: slovene, franka: english, SUMMARY_ROOM: ours[first]}
    with world.session() as session:
        for row in session.scalars(select(Delivery)):
            assert (row.text or "").startswith(said()[row.destination or _account(world, row)])
    says(world, "alice", Status.MAYBE)
    world.clock.forward(UNDO_FOR)
    pump(world)
    english, slovene = (
        "Not 6 any more: 5 players are looking to play tonight",
        "Ni jih več 6: 5 igralcev išče igro za nocoj",
    )
    assert said()[SUMMARY_ROOM] == {"en": english, "sl": slovene}[first]


def _account(world: World, row: Delivery) -> str:
    return next(world.discord_ids[name] for name, player in world.players.items() if player == row.player_id)


@FIRST
def test_the_evenings_message_and_event_are_in_the_first(peopled: Peopled, first: str) -> None:
    world = in_community(
        peopled,
        first,
        evening_message_enabled=True,
        scheduled_event_enabled=True,
        announce_enabled=True,
        announce_channel_id=SUMMARY_ROOM,
    )
    begin_day(world)
    for name in ("alice", "bob", "erik"):
        says(world, name, Status.LOOKING)
    world.clock.forward(UNDO_FOR)
    call(world)
    pump(world)
    [message] = [message for to, message, _ in world.discord.sent if to.value == SUMMARY_ROOM]
    assert (
        message.text.splitlines()[:2]
        == {
            "en": ["**Tonight**: 3 of 6 looking, 3 more to go.", "Looking: Alice, Bob, Erik"],
            "sl": ["**Nocoj**: za igro 3 od 6, manjkajo še 3.", "Iščem igro: Alice, Bob, Erik"],
        }[first]
    )
    assert message.buttons[0].label == {"en": "Looking", "sl": "Iščem igro"}[first]
    [(event, _)] = world.events.there.values()
    assert event.name == {"en": "Slomix: game night", "sl": "Slomix: igralni večer"}[first]


def begin_day(world: World) -> None:
    with world.session() as session:
        evening.plan_evening(session, world.clock.now().date(), settings=world.runtime.settings, now=world.clock.now())


def test_a_repeat_says_the_same_under_the_same_nonce_whatever_its_reader_speaks_now(peopled: Peopled) -> None:
    world = in_community(peopled, "en")
    with world.session() as session:
        test_message.plan_test_message(
            session,
            world.players["erik"],
            ChannelName.DISCORD,
            settings=world.runtime.settings,
            now=world.clock.now(),
        )
    world.discord.answers = [Unanswered(Reason.DISCORD_DID_NOT_ANSWER)]
    tried(world)
    world.speaks("erik", "en")
    tried(world)
    with world.session() as session:
        row = session.scalars(select(Delivery).execution_options(populate_existing=True)).one()
        assert row.status.value == "sent"
        assert (row.text or "").startswith("Takole te obveščam")
    assert {(message.text, nonce) for _, message, nonce in world.discord.sent} == {(row.text, row.nonce)}


def tried(world: World) -> None:
    with world.session() as session:
        job = session.scalars(select(Job).where(Job.kind == "delivery")).one()
        job.wait_until = None
    runner.execute(world.runtime, dispatch.HANDLERS["delivery"], job.id)


def test_a_thread_and_its_post_are_found_after_the_community_has_changed_its_language(peopled: Peopled) -> None:
    """Their answers were lost, and the operator set another language meanwhile."""
    english = with_room(peopled)
    places(english, "alice", Side.A)
    english.threads.loses_next_answer = True
    tries(english)
    slovene = replace(
        english,
        runtime=replace(
            english.runtime,
            settings=english.runtime.settings.model_copy(update={"languages": ("sl", "en")}),
        ),
    )
    for _ in range(3):
        tries(slovene)
    assert english.threads.made == 1
    [thread] = english.threads.there.values()
    assert thread.name == "Game night 2026-11-20"
    lines = english.discord.texts[-1].splitlines()
    assert lines[:3] == ["**Ekipi: petek, 20. november**", "**Ekipa A**: Alice", "**Ekipa B**: še nihče"]


def test_whatever_a_job_writes_is_in_the_communitys_language_until_it_knows_its_reader(peopled: Peopled) -> None:
    """Also of a kind that does not exist yet."""
    world = in_community(peopled, "sl")
    heard = []

    class Speaks(runner.Handler[None, None]):
        def begin(self, _context: runner.JobContext, /) -> None:
            heard.append(i18n.gettext("Today"))

        def act(self, _runtime: object, _prepared: None, /) -> None: ...

        def finish(self, _context: runner.JobContext, _result: None, /) -> Outcome:
            return Snooze(timedelta(seconds=1))

    with world.session() as session:
        job = Job(kind="speaks", subject="x", run_at=world.clock.now(), created_at=world.clock.now(), max_attempts=5)
        session.add(job)
        session.flush()
        job_id = job.id
    runner.execute(world.runtime, Speaks(), job_id)
    assert heard == ["Danes"]
    assert i18n.language() == i18n.SOURCE, "logs stay English"
