"""What may go wrong with tonight, from what is known of the system's parts: plain values in, reasons in words out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from slomix import words
from slomix.health.rules import PartHealth

# A message that has been due for longer has not left because something is wrong.
LATE_AFTER = timedelta(seconds=60)
# One failure is an accident.
FAILURES = 3


@dataclass(frozen=True)
class RiskFacts:
    """What is known at one moment. The ages are of system time, but for those of the parts."""

    is_paused: bool = False
    parts: Sequence[PartHealth] = ()
    # Channels that are on and whose last tries, to several people, have all failed.
    failing: Sequence[str] = ()
    # How many jobs should have been done more than a minute ago.
    late: int = 0
    # Near the start of a campaign somebody has to know who is in voice; None where nobody has to.
    is_voice_known: bool | None = None
    recipients: int = 0
    unreachable: int = 0


@dataclass(frozen=True)
class Risk:
    """Something that may keep tonight's messages from arriving: what it is in a few words, and what helps."""

    kind: str
    reason: str

    @property
    def remedy(self) -> str:
        """What an admin can do."""
        return words.REMEDIES[self.kind]


def find_risks(facts: RiskFacts) -> list[Risk]:
    """What is wrong, the worst first; nothing when all is well.

    While sending is paused, that messages are late says nothing more. A voice picture without the process that keeps it
    is one trouble, not two.
    """
    found = [Risk("paused", words.RISK_PAUSED)] if facts.is_paused else []
    dead = [part.part for part in facts.parts if not part.ok]
    for part in dead:
        kind = part if part in words.REMEDIES else "part"
        found.append(Risk(kind, words.RISKS_OF_PARTS.get(part, words.RISK_PART.format(part=part))))
    if facts.late and not facts.is_paused:
        found.append(Risk("late", words.RISK_LATE))
    found += [Risk("channel", words.RISK_CHANNEL.format(channel=words.CHANNELS[one])) for one in facts.failing]
    if facts.is_voice_known is False and "discord" not in dead:
        found.append(Risk("voice", words.RISK_VOICE))
    if is_large_share(facts.unreachable, facts.recipients):
        found.append(Risk("unreachable", words.RISK_UNREACHABLE.format(some=facts.unreachable, all=facts.recipients)))
    return found


def is_large_share(part: int, total: int) -> bool:
    """A third of all, and more than one."""
    return part > 1 and part * 3 >= total


def is_lasting(risks_now: Sequence[Risk], since: timedelta | None, grace: timedelta) -> bool:
    """Whether somebody should be told: it was so at every look for so long. What passes by itself needs nobody.

    While sending is paused nothing can be told by a message; and somebody did that, and sees it wherever they look.
    """
    is_tellable = bool(risks_now) and all(one.kind != "paused" for one in risks_now)
    return is_tellable and since is not None and since >= grace
