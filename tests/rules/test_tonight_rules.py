"""How far the evening is: empty, gathering, ready, on."""

from datetime import timedelta

import pytest

from slomix.availability.rules import StatusCounts
from slomix.board.tonight import EveningStage, judge_evening
from tests.moments import at

NOW = at(20, 30)
LATER, SOONER, A_SECOND = NOW + timedelta(minutes=30), NOW - timedelta(minutes=30), timedelta(seconds=1)


def counts(looking: int = 0, available: int = 0, maybe: int = 0) -> StatusCounts:
    return StatusCounts(looking, available, maybe, 0)


@pytest.mark.parametrize(
    ("looking", "threshold", "start_at", "stage", "is_ready", "missing"),
    [
        # Nobody has called the evening together.
        (0, 6, None, EveningStage.EMPTY, False, 6),
        (1, 6, None, EveningStage.GATHERING, False, 5),
        (5, 6, None, EveningStage.GATHERING, False, 1),
        (6, 6, None, EveningStage.READY, True, 0),
        (7, 6, None, EveningStage.READY, True, 0),
        (0, 1, None, EveningStage.EMPTY, False, 1),
        (1, 1, None, EveningStage.READY, True, 0),
        # It is called, and the start is to come: that alone moves nothing.
        (0, 6, LATER, EveningStage.EMPTY, False, 6),
        (3, 6, LATER, EveningStage.GATHERING, False, 3),
        (6, 6, LATER, EveningStage.READY, True, 0),
        (6, 6, NOW + A_SECOND, EveningStage.READY, True, 0),
        # The start has come, and has reached somebody.
        (3, 6, NOW, EveningStage.ON, False, 3),
        (6, 6, NOW, EveningStage.ON, True, 0),
        (9, 6, SOONER, EveningStage.ON, True, 0),
    ],
)
def test_the_evening_is_as_far_as_those_who_look_and_its_start_say(
    looking: int, threshold: int, start_at: object, stage: EveningStage, is_ready: bool, missing: int
) -> None:
    tonight = judge_evening(counts(looking), threshold, start_at, NOW, has_begun=True)  # type: ignore[arg-type]
    assert (tonight.stage, tonight.is_ready, tonight.missing) == (stage, is_ready, missing)
    assert (tonight.looking, tonight.threshold, tonight.start_at) == (looking, threshold, start_at)


@pytest.mark.parametrize("has_begun", [False, True])
def test_where_nobody_would_play_any_more_the_evening_is_not_on(has_begun: bool) -> None:
    assert judge_evening(counts(), 6, SOONER, NOW, has_begun=has_begun).stage is EveningStage.LEFT
    assert judge_evening(counts(), 6, LATER, NOW, has_begun=has_begun).stage is EveningStage.EMPTY
    for others in (counts(available=1), counts(maybe=1)):
        assert judge_evening(others, 6, SOONER, NOW, has_begun=has_begun).stage is not EveningStage.LEFT


@pytest.mark.parametrize(("looking", "stage"), [(3, EveningStage.GATHERING), (6, EveningStage.READY)])
def test_a_start_that_reached_nobody_is_a_plan_that_failed(looking: int, stage: EveningStage) -> None:
    tonight = judge_evening(counts(looking), 6, SOONER, NOW, has_begun=False)
    assert (tonight.stage, tonight.is_unheard) == (stage, True)
    assert not judge_evening(counts(looking), 6, LATER, NOW, has_begun=False).is_unheard
