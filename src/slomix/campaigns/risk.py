"""Decides what puts tonight at risk, from plain facts about the system's parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from slomix import words
from slomix.health.rules import PROVIDER, PartHealth

# A message that is overdue for longer is held up by a fault.
LATE_AFTER = timedelta(seconds=60)
# A single failure may be an accident.
FAILURES = 3


@dataclass(frozen=True)
class RiskFacts:
    """What is known at one moment. Ages are in system time, except those of the parts."""

    is_paused: bool = False
    parts: Sequence[PartHealth] = ()
    # Channels that are on and whose last tries, to several people, have all failed.
    failing: Sequence[str] = ()
    # How many jobs should have been done more than a minute ago.
    late: int = 0
    # Near a campaign's start, whether voice is known; None where it is not needed.
    is_voice_known: bool | None = None
    recipients: int = 0
    unreachable: int = 0


@dataclass(frozen=True)
class Risk:
    """Something that may keep tonight's messages from arriving, in a few words."""

    kind: str
    reason: str

    @property
    def remedy(self) -> str:
        """Say what an admin can do."""
        return words.REMEDIES[self.kind]


def find_risks(facts: RiskFacts) -> list[Risk]:
    """Return the risks, the worst first.

    While sending is paused, late messages are no risk of their own. Neither is an old picture of voice if the Discord
    process is down.
    """
    found = [Risk("paused", words.RISK_PAUSED)] if facts.is_paused else []
    dead = [part.part for part in facts.parts if not part.ok]
    for part in dead:
        kind = part if part in words.REMEDIES else "part"
        found.append(Risk(kind, words.RISKS_OF_PARTS.get(part, words.RISK_PART.format(part=part))))
    if facts.late and not facts.is_paused:
        found.append(Risk("late", words.RISK_LATE))
    failing = [name for name in facts.failing if PROVIDER.format(channel=name) not in dead]
    found += [Risk("channel", words.RISK_CHANNEL.format(channel=words.CHANNELS[name])) for name in failing]
    if facts.is_voice_known is False and "discord" not in dead:
        found.append(Risk("voice", words.RISK_VOICE))
    if is_large_share(facts.unreachable, facts.recipients):
        found.append(Risk("unreachable", words.RISK_UNREACHABLE.format(some=facts.unreachable, all=facts.recipients)))
    return found


def is_large_share(part: int, total: int) -> bool:
    """Return whether `part` is at least a third of `total`, and more than 1."""
    return part > 1 and part * 3 >= total


def is_lasting(risks_now: Sequence[Risk], since: timedelta | None, grace: timedelta) -> bool:
    """Return whether to warn the promoter: the campaign has been at risk for at least `grace`.

    While sending is paused no warning can go out, and every page shows the pause.
    """
    is_tellable = bool(risks_now) and all(danger.kind != "paused" for danger in risks_now)
    return is_tellable and since is not None and since >= grace
