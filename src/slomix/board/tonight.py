"""What the board says about tonight in one line: how many are missing, that it is enough, or that it is on."""

import enum
from dataclasses import dataclass
from datetime import datetime


class EveningStage(enum.StrEnum):
    """How far the evening is."""

    EMPTY = "empty"  # no player is looking
    GATHERING = "gathering"  # some, not enough
    READY = "ready"  # enough
    ON = "on"  # called together, and the start has passed


@dataclass(frozen=True)
class EveningState:
    """Tonight, as every viewer sees it."""

    looking: int
    threshold: int
    start_at: datetime | None
    stage: EveningStage

    @property
    def is_ready(self) -> bool:
        return self.looking >= self.threshold

    @property
    def missing(self) -> int:
        return max(0, self.threshold - self.looking)


def judge_evening(looking: int, threshold: int, start_at: datetime | None, now: datetime) -> EveningState:
    """Decide how far the evening is; `start_at` is that of a campaign that was not cancelled."""
    if start_at is not None and now >= start_at:
        stage = EveningStage.ON
    elif looking >= threshold:
        stage = EveningStage.READY
    else:
        stage = EveningStage.GATHERING if looking else EveningStage.EMPTY
    return EveningState(looking, threshold, start_at, stage)
