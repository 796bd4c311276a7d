"""Turns readings into Prometheus families: the names, units and labels that alerts and dashboards use."""

import math
from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from slomix.campaigns.rules import CampaignStatus
from slomix.health.proofs import Proof
from slomix.health.rules import BACKUP, CERTIFICATE, DISK, PartHealth
from slomix.metrics.readings import LATE, DeliveryNumbers, JobNumbers, Readings, TonightNumbers

BY_JOB, BY_NOTICE = ("kind", "lane"), ("channel", "notice")


def gauge(name: str, description: str, value: float) -> GaugeMetricFamily:
    """Make a gauge with one value."""
    return GaugeMetricFamily(f"slomix_{name}", description, value=value)


def _gauges(
    name: str, says: str, labels: Sequence[str], values: Iterator[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    """Make a gauge with a value for each combination of labels."""
    family = GaugeMetricFamily(f"slomix_{name}", says, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family


def metric_families(readings: Readings) -> Iterator[Metric]:
    """Yield all metrics that come from the database."""
    yield from _of_jobs(readings.jobs)
    yield from _of_deliveries(readings.deliveries)
    yield _lateness(readings.deliveries)
    yield from _of_parts(readings.parts)
    yield from _of_tonight(readings.tonight)
    out = "Since when a provider has been out and takes no messages from anybody; 0 when it is well."
    yield _gauges("provider_out_seconds", out, ("channel",), (((name,), age) for name, age in readings.outages.items()))
    yield gauge("sending_paused", "Whether the switch that stops all sending is thrown.", readings.is_paused)
    age = math.inf if readings.presence_age is None else readings.presence_age
    yield gauge("presence_age_seconds", "Since Discord last told who is in voice; +Inf when it never did.", age)


def _of_jobs(jobs: Sequence[JobNumbers]) -> Iterator[Metric]:
    """Yield the numbers of jobs that wait, run or were given up."""

    def numbers(name: str, says: str, number: Callable[[JobNumbers], float]) -> GaugeMetricFamily:
        return _gauges(name, says, BY_JOB, (((job.kind, job.lane), number(job)) for job in jobs))

    yield numbers("jobs_due", "Jobs that could be done now and that no worker has taken.", lambda job: job.due)
    oldest = "How long the job that waits longest has been due."
    yield numbers("jobs_due_oldest_seconds", oldest, lambda job: job.oldest_seconds)
    yield numbers("jobs_running", "Jobs that a worker has.", lambda job: job.running)
    lost = "Jobs of a worker that did not come back, not taken back yet."
    yield numbers("jobs_past_lease", lost, lambda job: job.past_lease)
    yield numbers("jobs_retrying", "Jobs that failed and will be tried again.", lambda job: job.retrying)
    yield numbers("jobs_failed_15m", "Jobs given up in the last 15 minutes.", lambda job: job.failed_in_quarter)
    yield numbers("jobs_failed_24h", "Jobs given up in the last 24 hours.", lambda job: job.failed_in_day)


def _of_deliveries(deliveries: Sequence[DeliveryNumbers]) -> Iterator[Metric]:
    """Yield the numbers of messages that were settled, or should have been sent by now."""
    in_day = [delivery for delivery in deliveries if delivery.settled_in_day]
    due = [delivery for delivery in deliveries if delivery.unsent]

    def settled(name: str, says: str, number: Callable[[DeliveryNumbers], float]) -> GaugeMetricFamily:
        return _gauges(
            name, says, (*BY_NOTICE, "outcome"), ((_labels(delivery), number(delivery)) for delivery in in_day)
        )

    def unsent(name: str, says: str, number: Callable[[DeliveryNumbers], float]) -> GaugeMetricFamily:
        return _gauges(name, says, (*BY_NOTICE, "status"), ((_labels(delivery), number(delivery)) for delivery in due))

    quarter = "What became of the messages that were settled in the last 15 minutes."
    yield settled("deliveries_settled_15m", quarter, lambda delivery: delivery.settled_in_quarter)
    day = "What became of the messages that were settled in the last 24 hours."
    yield settled("deliveries_settled_24h", day, lambda delivery: delivery.settled_in_day)
    retries = "Tries beyond the first of the messages that were settled in the last 24 hours."
    yield settled("delivery_retries_24h", retries, lambda delivery: delivery.retries_in_day)
    waiting = "Messages whose moment has come and that are not settled: waiting, on their way, or to be tried again."
    yield unsent("deliveries_unsent", waiting, lambda delivery: delivery.unsent)
    oldest = "How long ago the moment of the oldest of them was."
    yield unsent("deliveries_unsent_oldest_seconds", oldest, lambda delivery: delivery.oldest_seconds)


def _labels(delivery: DeliveryNumbers) -> tuple[str, str, str]:
    return delivery.channel, delivery.notice, delivery.outcome


def _lateness(deliveries: Sequence[DeliveryNumbers]) -> GaugeHistogramMetricFamily:
    family = GaugeHistogramMetricFamily(
        "slomix_delivery_lateness_24h_seconds",
        "From the moment that was promised until the provider had it, of what was sent in the last 24 hours.",
        labels=BY_NOTICE,
    )
    for delivery in deliveries:
        if delivery.outcome == "sent":
            ends = [(str(float(most)), float(count)) for most, count in zip(LATE, delivery.late, strict=True)]
            family.add_metric(
                (delivery.channel, delivery.notice),
                [*ends, ("+Inf", float(delivery.settled_in_day))],
                delivery.lateness_seconds,
            )
    return family


def _of_parts(parts: Sequence[PartHealth]) -> Iterator[Metric]:
    yield _gauges(
        "part_up",
        "Whether a part gave a sign within half a minute; any copy of it will do.",
        ("part",),
        (((part.part,), part.ok) for part in parts),
    )
    yield _gauges(
        "part_copies",
        "Processes of a part that give a sign, and those that no longer do and were not asked to end.",
        ("part", "state"),
        (
            pair
            for part in parts
            for pair in (
                ((part.part, "alive"), part.copies - len(part.missing)),
                ((part.part, "missing"), len(part.missing)),
            )
        ),
    )
    yield _gauges(
        "clock_offset_seconds",
        "What is added to the clock of that copy of a part whose machine is off the most.",
        ("part",),
        (((part.part,), part.clock_offset) for part in parts),
    )
    yield _gauges(
        "heartbeat_age_seconds",
        "Since a part last gave a sign; +Inf when it never did.",
        ("part",),
        (((part.part,), math.inf if part.age_seconds is None else part.age_seconds) for part in parts),
    )


def _of_tonight(tonight: TonightNumbers) -> Iterator[Metric]:
    yield _gauges(
        "campaigns_today",
        "Today's campaigns, without dry runs.",
        ("status",),
        (((status.value,), tonight.by_status.get(status, 0)) for status in CampaignStatus),
    )
    yield gauge("tonight_recipients", "Whom today's campaigns ask.", tonight.recipients)
    until = GaugeMetricFamily("slomix_tonight_seconds_to_start", "Until today's start; negative after it.")
    if tonight.seconds_to_start is not None:
        until.add_metric((), tonight.seconds_to_start)
    yield until


def proof_families(proofs: Sequence[Proof], *, wait: float) -> Iterator[Metric]:
    """Yield what an installation needs beside its processes, as this process found it last."""
    parts = [part for proof in proofs for part in proof.health(wait=wait)]
    measured = {part: finding.measured for proof in proofs for part, finding in proof.measured().items()}
    proven = "Whether this process found in order what an installation needs."
    yield _gauges("proven", proven, ("part",), (((part.part,), part.ok) for part in parts))
    free = "Room on the disks of this process's machine."
    disks = measured.get(DISK, {})
    yield _gauges("disk_free_bytes", free, ("place",), (((place,), left) for place, left in disks.items()))
    for part, name, says in (
        (BACKUP, "backup_age_seconds", "How old the last backup is; missing while there is none."),
        (CERTIFICATE, "certificate_left_seconds", "How long the certificate of PUBLIC_URL is good for."),
    ):
        yield _gauges(name, says, (), (((), value) for value in measured.get(part, {}).values()))
