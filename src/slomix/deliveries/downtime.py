"""Which providers are out, as far as it concerns one delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slomix.contacts.rules import ContactRoute
from slomix.deliveries.models import Delivery
from slomix.health import outages
from slomix.health.models import Outage
from slomix.jobs.models import Job
from slomix.jobs.rules import LAST_MARGIN
from slomix.jobs.runner import JobContext


@dataclass(frozen=True)
class Downtime:
    """The providers that are out, by channel, and those of them for which a delivery no longer waits."""

    outages: Mapping[str, Outage] = field(default_factory=dict)
    overdue: frozenset[str] = frozenset()

    @classmethod
    def read(cls, context: JobContext, delivery: Delivery) -> "Downtime":
        now, found = context.now, outages.current(context.session)
        is_late = delivery.deadline_at is not None and now >= delivery.deadline_at - LAST_MARGIN
        return cls(
            found,
            frozenset(
                channel
                for channel, outage in found.items()
                if outage.is_confirmed and (is_late or outages.is_overdue(outage, now))
            ),
        )

    def holds(self, channel: str, job: Job) -> bool:
        """Return whether this job has to wait for this channel."""
        outage = self.outages.get(channel)
        return outage is not None and outage.is_confirmed and outage.trial_job_id != job.id

    def in_order(self, routes: Sequence[ContactRoute]) -> Sequence[ContactRoute]:
        """Put the routes that are out last if the best of them has been out for too long."""
        if not routes or routes[0].channel not in self.overdue:
            return routes
        down = {channel for channel, outage in self.outages.items() if outage.is_confirmed}
        return sorted(routes, key=lambda route: route.channel in down)
