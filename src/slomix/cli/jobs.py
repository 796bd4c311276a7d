"""`slomix jobs`: lists, retries and cancels jobs."""

import click

from slomix.admin import job_actions, search
from slomix.admin.search import JobFilter
from slomix.cli.connect import open_transaction
from slomix.cli.roles import COMMAND_LINE
from slomix.clock import wall_now
from slomix.config.settings import Settings
from slomix.jobs.models import Job
from slomix.jobs.rules import JobStatus

MAX_ROWS = 200


@click.group()
def jobs() -> None:
    """Show, retry and cancel jobs."""


@jobs.command("list")
@click.option("--status", type=click.Choice([choice.value for choice in JobStatus]), help="Only these.")
@click.option("--kind", default="", help="Only of this kind, such as delivery.")
@click.option("--late", is_flag=True, help="Only what should have been done by now.")
def list_(status: str | None, kind: str, late: bool) -> None:
    """List the newest jobs; of pending ones, those that are due next."""
    wanted = JobFilter(status=JobStatus(status) if status else None, kind=kind, is_late=late)
    with open_transaction() as (session, settings, now):
        found, more = search.find_jobs(session, wanted, now=now, wall=wall_now(), limit=MAX_ROWS)
    if not found:
        click.echo("There is no such job.")
        return
    click.echo(f"Times are those of {settings.zone.key}.")
    for job in found:
        click.echo(_line(job, settings))
    if more is not None:
        click.echo(f"… and more; these are the first {MAX_ROWS}.")


def _line(job: Job, settings: Settings) -> str:
    due = f"{job.run_at.astimezone(settings.zone):%Y-%m-%d %H:%M:%S}"
    what = f"{job.id:>7}  {job.status.value:8} {due}  {job.attempts}/{job.limit or '-'}  {job.kind} {job.subject}"
    return f"{what}  {job.reason or job.last_error or ''}".rstrip()


@jobs.command()
@click.argument("job_id", type=click.IntRange(1, 2**63 - 1))
@click.option("--may-arrive-twice", is_flag=True, help="Also a message that may have arrived already.")
def retry(job_id: int, may_arrive_twice: bool) -> None:
    """Retry the failed job JOB_ID, while it still makes sense."""
    try:
        with open_transaction() as (session, settings, now):
            job_actions.retry_job(
                session, job_id, may_arrive_twice=may_arrive_twice, settings=settings, now=now, by=COMMAND_LINE
            )
    except job_actions.MayArriveTwice as error:
        raise click.ClickException(f"{error} Use --may-arrive-twice.") from None
    click.echo(f"Job {job_id} is tried again.")


@jobs.command()
@click.argument("job_id", type=click.IntRange(1, 2**63 - 1))
def cancel(job_id: int) -> None:
    """Cancel the pending job JOB_ID; a message that it carries is skipped with it."""
    with open_transaction() as (session, _, now):
        messages = job_actions.cancel_job(session, job_id, now=now, by=COMMAND_LINE)
    click.echo(f"Job {job_id} is cancelled" + (f", and with it its messages: {messages}." if messages else "."))
