"""Decides what puts tonight at risk, from plain facts about the system's parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from slomix.contacts.rules import CHANNEL_NAMES
from slomix.health.rules import PROVIDER, PartHealth
from slomix.i18n import N_, Texts

# A message that is overdue for longer is held up by a fault.
LATE_AFTER = timedelta(seconds=60)
# A single failure may be an accident.
FAILURES = 3


_ANSWERS_AGAIN = N_(
    "Messages leave once it answers again; after three minutes, players with another app get them there. "
    "If it refuses our token, set the right one and restart the workers."
)
REMEDIES = Texts(
    {
        "paused": N_("Resume sending on the overview."),
        "scheduler": N_("Restart the scheduler and check its log; nothing is lost meanwhile."),
        "worker": N_("Restart a worker and check its log; what was due leaves then."),
        "discord": N_("Restart the Discord process, and check whether Discord itself is down."),
        "discord_provider": _ANSWERS_AGAIN,
        "telegram_provider": _ANSWERS_AGAIN,
        "signal_provider": _ANSWERS_AGAIN,
        "redis": N_("Restart Redis; every promise is in the database and goes on by itself."),
        "database": N_("Restart PostgreSQL; everything else waits for it."),
        "part": N_("Restart it and check its log."),
        "late": N_("Look at the late jobs, and check whether workers are busy or stuck."),
        "channel": N_("Look at this app’s last error below, and check whether the provider is down."),
        "voice": N_("Check whether the Discord process is connected; without it we ask Discord player by player."),
        "unreachable": N_("Their apps stopped working. Call them another way tonight; they see it when they visit."),
    }
)
RISKS = Texts(
    {
        "paused": N_("sending is paused"),
        "scheduler": N_("the scheduler is silent, so nothing new starts"),
        "worker": N_("no worker is there to send messages"),
        "discord": N_("the Discord process is silent, so we can’t see who’s in voice"),
        "discord_provider": N_("Discord isn’t accepting our messages"),
        "telegram_provider": N_("Telegram isn’t accepting our messages"),
        "signal_provider": N_("Signal isn’t accepting our messages"),
        "redis": N_("Redis carries no nudges, so messages leave some seconds late"),
        "database": N_("the database doesn’t answer"),
        "disk": N_("a disk is full, so nothing new can be stored"),
        "part": N_("{name} doesn’t answer"),
        "late": N_("some messages are more than a minute late"),
        "channel": N_("{name} isn’t accepting our messages"),
        "voice": N_("we can’t see who’s in voice"),
        "unreachable": N_("{some} of {all} players can’t be reached"),
    }
)


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
    """Something that may keep tonight's messages from arriving; one reading of it may have many readers."""

    # One of RISKS.
    kind: str
    # What fills the blanks of its text.
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Say it in a few words."""
        return RISKS[self.kind].format(**self.values)

    @property
    def remedy(self) -> str:
        """Say what an admin can do."""
        return REMEDIES.get(self.kind, REMEDIES["part"])


def find_risks(facts: RiskFacts) -> list[Risk]:
    """Return the risks, the worst first.

    While sending is paused, late messages are no risk of their own. Neither is an old picture of voice if the Discord
    process is down.
    """
    found = [Risk("paused")] if facts.is_paused else []
    dead = [part.part for part in facts.parts if not part.ok]
    found += [Risk(part if part in RISKS else "part", {"name": part}) for part in dead]
    if facts.late and not facts.is_paused:
        found.append(Risk("late"))
    failing = [name for name in facts.failing if PROVIDER.format(channel=name) not in dead]
    found += [Risk("channel", {"name": CHANNEL_NAMES[name]}) for name in failing]
    if facts.is_voice_known is False and "discord" not in dead:
        found.append(Risk("voice"))
    if is_large_share(facts.unreachable, facts.recipients):
        found.append(Risk("unreachable", {"some": facts.unreachable, "all": facts.recipients}))
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
