"""Runs what is due, in this process, until nothing moves: the scheduler and the worker without their loops."""

from sqlalchemy import update

from slomix.campaigns.rules import RISK_MONITOR
from slomix.jobs.models import Job
from slomix.jobs.rules import UNTIL_WOKEN, JobStatus
from slomix.jobs.runner import execute
from slomix.processes import dispatch
from tests.world import World


def pump(world: World, *, most: int = 50, watching: bool = False) -> None:
    """Release and run due jobs, round after round, until all that is left waits. Waits of wall time are cut short.

    A job that waits to be woken is left to the scheduler. The watch over a campaign looks once and then waits as it
    asked to, unless `watching`: few evenings are about it.
    """
    waiting = 0
    is_on_its_way = Job.wait_until.is_(None) | (Job.wait_until < UNTIL_WOKEN)
    impatient = update(Job).where(is_on_its_way).values(wait_until=None, nudge_again_at=None)
    if not watching:
        impatient = impatient.where(Job.kind != RISK_MONITOR)
    for _ in range(most):
        with world.session() as session:
            session.execute(impatient)
        came_to = [
            execute(world.runtime, dispatch.HANDLERS[job.kind], job.id) for job in dispatch.release_jobs(world.runtime)
        ]
        waiting = waiting + 1 if all(status is JobStatus.PENDING for status in came_to) else 0
        if not came_to or waiting == 3:
            return
    raise AssertionError("the jobs never come to an end")
