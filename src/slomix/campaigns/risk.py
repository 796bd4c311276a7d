"""Decides what puts tonight at risk, from plain facts about the system's parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from slomix.contacts.rules import CHANNEL_NAMES
from slomix.health.rules import PROVIDER, PartHealth
from slomix.i18n import N_, Texts, _

# A message that is overdue for longer is held up by a fault.
LATE_AFTER = timedelta(seconds=60)
# A single failure may be an accident.
FAILURES = 3


REMEDIES = Texts(
    {
        "paused": N_("Switch sending on again on the overview."),
        "scheduler": N_("Start the scheduler process again and look into its log; nothing is lost meanwhile."),
        "worker": N_("Start a worker process again and look into its log; what was due leaves then."),
        "discord": N_("Start the Discord process again, and look whether Discord itself has trouble."),
        "discord_provider": N_(
            "What is due leaves by itself when it answers again; after three minutes whoever "
            "has another channel is told there. If it refuses our token, set the right one "
            "and start the workers again."
        ),
        "telegram_provider": N_(
            "What is due leaves by itself when it answers again; after three minutes whoever "
            "has another channel is told there. If it refuses our token, set the right one "
            "and start the workers again."
        ),
        "signal_provider": N_(
            "What is due leaves by itself when it answers again; after three minutes whoever "
            "has another channel is told there. If it refuses our token, set the right one "
            "and start the workers again."
        ),
        "redis": N_("Start Redis again; everything promised stands in the database and goes on by itself."),
        "database": N_("Start PostgreSQL again; everything else waits for it."),
        "part": N_("Start it again and look into its log."),
        "late": N_("Look at the jobs that are late, and whether workers are busy or stuck."),
        "channel": N_("Look at the last error of this channel below, and whether the provider has trouble."),
        "voice": N_("Look whether the Discord process is connected; without it Discord is asked person by person."),
        "unreachable": N_(
            "Their contacts stopped working. Call them another way tonight; they are told when they look here."
        ),
    }
)
RISKS_OF_PARTS = Texts(
    {
        "scheduler": N_("the scheduler is silent, so nothing new is begun"),
        "worker": N_("no worker is there to send messages"),
        "discord": N_("the Discord process is silent, so nobody sees who is in voice"),
        "discord_provider": N_("Discord takes no messages"),
        "telegram_provider": N_("Telegram takes no messages"),
        "signal_provider": N_("Signal takes no messages"),
        "redis": N_("Redis carries no nudges, so messages leave some seconds late"),
        "database": N_("the database does not answer"),
        "disk": N_("a disk is full, so nothing new can be stored"),
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
    """Something that may keep tonight's messages from arriving, in a few words."""

    kind: str
    reason: str

    @property
    def remedy(self) -> str:
        """Say what an admin can do."""
        return REMEDIES[self.kind]


def find_risks(facts: RiskFacts) -> list[Risk]:
    """Return the risks, the worst first.

    While sending is paused, late messages are no risk of their own. Neither is an old picture of voice if the Discord
    process is down.
    """
    found = [Risk("paused", _("sending is paused"))] if facts.is_paused else []
    dead = [part.part for part in facts.parts if not part.ok]
    for part in dead:
        kind = part if part in REMEDIES else "part"
        found.append(Risk(kind, RISKS_OF_PARTS.get(part, _("{part} does not answer").format(part=part))))
    if facts.late and not facts.is_paused:
        found.append(Risk("late", _("messages are due and have not left for a minute")))
    failing = [name for name in facts.failing if PROVIDER.format(channel=name) not in dead]
    found += [
        Risk("channel", _("the last messages on {channel} did not get through").format(channel=CHANNEL_NAMES[name]))
        for name in failing
    ]
    if facts.is_voice_known is False and "discord" not in dead:
        found.append(Risk("voice", _("nobody knows who is in voice")))
    if is_large_share(facts.unreachable, facts.recipients):
        found.append(
            Risk(
                "unreachable",
                _("{some} of the {all} who are asked cannot be reached").format(
                    some=facts.unreachable, all=facts.recipients
                ),
            )
        )
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
