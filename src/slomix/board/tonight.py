"""What the board says about tonight in one line: how many are missing, that it is enough, or that it is on."""

import enum
from dataclasses import dataclass
from datetime import datetime

from slomix.availability.rules import Status, StatusCounts
from slomix.availability.service import DayView


class EveningStage(enum.StrEnum):
    """How far the evening is."""

    EMPTY = "empty"  # no player is looking
    GATHERING = "gathering"  # some, not enough
    READY = "ready"  # enough
    ON = "on"  # the start has reached a player
    LEFT = "left"  # the start has passed, and no player is left


@dataclass(frozen=True)
class EveningState:
    """Tonight, as every viewer sees it."""

    looking: int
    threshold: int
    start_at: datetime | None
    stage: EveningStage
    # The start has passed and has reached no player.
    is_unheard: bool = False

    @property
    def is_ready(self) -> bool:
        return self.looking >= self.threshold

    @property
    def missing(self) -> int:
        return max(0, self.threshold - self.looking)


def judge_evening(
    counts: StatusCounts, threshold: int, start_at: datetime | None, now: datetime, *, has_begun: bool
) -> EveningState:
    """Decide how far the evening is; `start_at` is that of a campaign that was not cancelled.

    A start that has passed is a plan. The evening is on if it `has_begun`: a start message arrived, or found a player
    in voice.
    """
    looking, is_past = counts.looking, start_at is not None and now >= start_at
    if is_past and not (looking or counts.available or counts.maybe):
        stage = EveningStage.LEFT
    elif is_past and has_begun:
        stage = EveningStage.ON
    elif looking >= threshold:
        stage = EveningStage.READY
    else:
        stage = EveningStage.GATHERING if looking else EveningStage.EMPTY
    is_unheard = is_past and not has_begun
    return EveningState(looking, threshold, start_at, stage, is_unheard)


def may_come(day: DayView) -> bool:
    """Return whether the viewer has said that they may come; who may is offered to be late."""
    return day.my_status not in {None, Status.NOT_PLAYING}
