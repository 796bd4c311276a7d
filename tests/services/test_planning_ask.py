"""Asking for more players: how many, where, how often, and that it calls only those who wanted to hear of it (W65)."""

from datetime import time, timedelta

import pytest

from slomix.accounts import service as accounts
from slomix.accounts.models import User
from slomix.availability.rules import Status
from slomix.contacts.rules import MESSAGES_A_DAY, QuietHours
from slomix.deliveries import service as deliveries
from slomix.deliveries.rules import DeliveryStatus
from slomix.planning import notices, rules
from slomix.planning.models import RoomThread
from slomix.reasons.codes import Explanation, Reason
from tests.moments import TODAY
from tests.services.planning import PLACE_TO_ANNOUNCE, Tonight, opened, under
from tests.workers.pump import pump
from tests.workers.stage import got
from tests.world import CAST, World


@pytest.fixture
def tonight(world: World) -> Tonight:
    """Two of the six have changed their minds, and sessions are announced in a room on Discord."""
    tonight = opened(under(world, announce_enabled=True, announce_channel_id=PLACE_TO_ANNOUNCE))
    tonight.world.says("goran", None)
    tonight.world.says("dora", Status.MAYBE)
    return tonight


def ledger(tonight: Tonight) -> list[tuple[str | None, DeliveryStatus, Explanation | None]]:
    with tonight.world.session() as session:
        rows = deliveries.deliveries_about(session, tonight.view().room.subject)
        for row in rows:
            session.refresh(row)
        return [(row.destination, row.status, row.reason) for row in rows]


def called(tonight: Tonight) -> set[str]:
    """Whom a message at this moment would call."""
    with tonight.world.session() as session:
        settings, now = tonight.world.runtime.settings, tonight.world.clock.now()
        accounts = notices.whom_to_mention(session, TODAY, settings=settings, now=now)
    return {name for name, account in CAST.items() if account in accounts}


def test_it_asks_for_as_many_as_are_missing_where_sessions_are_announced(tonight: Tonight) -> None:
    assert tonight.asks("erik") == 2
    [(place, status, _)] = ledger(tonight)
    assert (place, status) == (PLACE_TO_ANNOUNCE, DeliveryStatus.PENDING)
    pump(tonight.world)
    [(to, message, _)] = tonight.world.discord.sent
    assert (to.value, to.is_room) == (PLACE_TO_ANNOUNCE, True)
    assert message.text.startswith("2 more and we can play tonight:")
    assert f"/planning/{TODAY}" in message.text
    assert message.mentions == ()


def test_one_more_is_a_word_of_its_own(tonight: Tonight) -> None:
    tonight.world.says("goran", Status.AVAILABLE)
    assert tonight.asks("erik") == 1
    pump(tonight.world)
    assert tonight.world.discord.texts[0].startswith("One more and we can play tonight:")


def test_it_says_how_many_are_missing_when_it_leaves_and_not_when_it_was_pressed(tonight: Tonight) -> None:
    tonight.asks("erik")
    tonight.world.says("goran", Status.LOOKING)
    pump(tonight.world)
    assert tonight.world.discord.texts[0].startswith("One more")


def test_when_there_are_enough_by_then_nothing_is_posted_and_the_ledger_says_why(tonight: Tonight) -> None:
    tonight.asks("erik")
    for name in ("goran", "dora"):
        tonight.world.says(name, Status.AVAILABLE)
    pump(tonight.world)
    assert tonight.world.discord.sent == []
    [(_, status, reason)] = ledger(tonight)
    assert (status, reason) == (DeliveryStatus.SKIPPED, Explanation(Reason.ENOUGH_BY_NOW))


def with_thread(tonight: Tonight) -> Tonight:
    """The room's thread is there on Discord."""
    with tonight.world.session() as session:
        session.add(RoomThread(session_id=tonight.view().room.id, thread_id="900000000000000008", members=[]))
    return tonight


def test_where_all_can_read_it_comes_before_the_rooms_own_thread(tonight: Tonight) -> None:
    """W65: in a private thread there was nobody to read it."""
    with_thread(tonight).asks("erik")
    assert ledger(tonight)[0][0] == PLACE_TO_ANNOUNCE


def test_where_nothing_is_announced_it_asks_in_the_rooms_thread(world: World) -> None:
    tonight = with_thread(opened(world))
    world.says("goran", None)
    tonight.asks("erik")
    assert ledger(tonight)[0][0] == "900000000000000008"


@pytest.mark.parametrize("settings", [{}, {"announce_channel_id": PLACE_TO_ANNOUNCE}, {"announce_enabled": True}])
def test_where_there_is_no_place_nobody_is_asked_and_nothing_waits(world: World, settings: dict[str, object]) -> None:
    tonight = opened(under(world, **settings))
    tonight.world.says("goran", None)
    with pytest.raises(rules.NowhereToAsk):
        tonight.asks("erik")
    assert tonight.view().room.asked_at is None


def test_nobody_is_asked_while_there_are_enough(tonight: Tonight) -> None:
    """W67: who is available counts just as who is looking."""
    for name in ("goran", "dora"):
        tonight.world.says(name, Status.AVAILABLE)
    with pytest.raises(rules.EnoughPlayers):
        tonight.asks("erik")
    assert ledger(tonight) == []


def test_within_a_quarter_of_an_hour_it_is_not_asked_again_and_the_sentence_says_how_long(tonight: Tonight) -> None:
    """W65: there was no cooldown."""
    tonight.asks("erik")
    begun = tonight.world.clock.now()
    for waited, minutes in ((timedelta(0), 15), (timedelta(minutes=5, seconds=1), 10), (timedelta(minutes=14), 1)):
        tonight.world.clock.move_to(begun + waited)
        for name in ("franka", "bob"):
            with pytest.raises(rules.AskedAlready) as refused:
                tonight.asks(name)
            assert str(refused.value) == f"Others were asked a moment ago. Next in {minutes} min."
            assert refused.value.retry_after == timedelta(minutes=15) - waited
    tonight.world.clock.move_to(begun + timedelta(minutes=15))
    assert tonight.asks("franka") == 2
    pump(tonight.world)
    assert [status for _, status, _ in ledger(tonight)].count(DeliveryStatus.SENT) == 1, "the first was too old by then"


def test_who_is_not_in_asks_for_nobody_and_a_promoter_may(tonight: Tonight) -> None:
    tonight.world.says("bob", None)
    with pytest.raises(rules.NotAParticipant):
        tonight.asks("goran")
    assert tonight.asks("bob") == 3


def test_nobody_is_called_who_did_not_ask_for_it(tonight: Tonight) -> None:
    tonight.world.says("dora", None)
    assert called(tonight) == set()


def test_it_calls_those_who_wanted_it_and_are_not_in_and_did_not_say_no(tonight: Tonight) -> None:
    world = tonight.world
    for name in world.players:
        world.prefers(name, more_needed=True)
    assert called(tonight) == {"goran", "dora"}, "Goran said nothing, Dora said maybe; the others are in"
    tonight.asks("erik")
    pump(world)
    [(_, message, _)] = world.discord.sent
    assert set(message.mentions) == {CAST["goran"], CAST["dora"]}
    assert all(f"<@{account}>" in message.text for account in message.mentions)
    world.says("goran", Status.NOT_PLAYING)
    assert called(tonight) == {"dora"}
    world.says("dora", Status.AVAILABLE)
    assert called(tonight) == set()


def test_nobody_is_called_in_their_quiet_hours_or_after_they_left_our_server(tonight: Tonight) -> None:
    world = tonight.world
    world.prefers("goran", more_needed=True, quiet=QuietHours(time(20), time(23)))
    world.prefers("dora", more_needed=True)
    assert called(tonight) == {"dora"}
    with world.session() as session:
        user = session.get_one(User, world.users["dora"])
        accounts.record_membership(session, user, False, now=world.clock.now())
    assert called(tonight) == set()


def test_a_post_that_asks_for_more_is_never_too_long_to_be_sent(
    tonight: Tonight, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [str(10**17 + number) for number in range(100)]
    monkeypatch.setattr(notices, "whom_to_mention", lambda *_, **__: many)
    tonight.asks("erik")
    pump(tonight.world)
    [(_, message, _)] = tonight.world.discord.sent
    assert len(message.text) <= 2000
    assert len(message.mentions) > 80
    assert all(f"<@{account}>" in message.text for account in message.mentions)


def test_who_had_enough_messages_for_today_is_not_mentioned(tonight: Tonight) -> None:
    tonight.world.prefers("goran", more_needed=True)
    assert called(tonight) == {"goran"}
    got(tonight.world, "goran", MESSAGES_A_DAY)
    assert called(tonight) == set()
