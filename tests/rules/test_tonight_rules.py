"""How far the evening is: empty, gathering, ready, on."""

from datetime import timedelta

import pytest

from slomix.board.tonight import EveningStage, judge_evening
from tests.moments import at

NOW = at(20, 30)
LATER, SOONER, A_SECOND = NOW + timedelta(minutes=30), NOW - timedelta(minutes=30), timedelta(seconds=1)


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
        # The start has come: the evening is on, however many there are.
        (0, 6, NOW, EveningStage.ON, False, 6),
        (3, 6, NOW, EveningStage.ON, False, 3),
        (6, 6, NOW, EveningStage.ON, True, 0),
        (9, 6, SOONER, EveningStage.ON, True, 0),
    ],
)
def test_the_evening_is_as_far_as_those_who_look_and_its_start_say(
    looking: int, threshold: int, start_at: object, stage: EveningStage, is_ready: bool, missing: int
) -> None:
    tonight = judge_evening(looking, threshold, start_at, NOW)  # type: ignore[arg-type]
    assert (tonight.stage, tonight.is_ready, tonight.missing) == (stage, is_ready, missing)
    assert (tonight.looking, tonight.threshold, tonight.start_at) == (looking, threshold, start_at)
