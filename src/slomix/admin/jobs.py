"""Jobs: found, retried and cancelled, each after a page that says what will happen."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from slomix.admin import job_actions, search
from slomix.admin.job_actions import JobTarget
from slomix.admin.request_args import before_id, check_unchanged, parse_choice, search_text
from slomix.admin.search import JobFilter
from slomix.clock import wall_now
from slomix.contacts.rules import ChannelName
from slomix.i18n import _, ngettext
from slomix.jobs.rules import GENERAL, JobStatus
from slomix.web import current, gates
from slomix.web.reading import reading

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")

LANES = (GENERAL, *(channel.value for channel in ChannelName))


@blueprint.get("")
def show() -> str:
    now, wall = current.now(), wall_now()
    with reading() as session:
        kinds = search.job_kinds(session)
        chosen = JobFilter(
            status=parse_choice(JobStatus, "status"),
            kind=kind if (kind := request.args.get("kind", "")) in kinds else "",
            lane=lane if (lane := request.args.get("lane", "")) in LANES else "",
            is_late=request.args.get("late") == "on",
            text=search_text(),
        )
        found, next_beyond = search.find_jobs(session, chosen, after_id=before_id(), now=now, wall=wall)
        messages = search.deliveries_of_jobs(session, found)
    return render_template(
        "admin/jobs.html",
        jobs=found,
        messages=messages,
        next_before=next_beyond,
        chosen=chosen,
        kinds=kinds,
        lanes=LANES,
        statuses=list(JobStatus),
        now=now,
    )


@blueprint.get("/<id:job_id>/retry")
def confirm_retry(job_id: int) -> str:
    with reading() as session:
        target = job_actions.find_target(session, job_id)
        job_actions.check_retriable(session, target, settings=current.runtime().settings, now=current.now())
    return _confirm(target, is_retry=True)


@blueprint.get("/<id:job_id>/cancel")
def confirm_cancel(job_id: int) -> str:
    with reading() as session:
        target = job_actions.find_target(session, job_id)
        job_actions.check_pending(target)
    return _confirm(target, is_retry=False)


def _confirm(target: JobTarget, *, is_retry: bool) -> str:
    return render_template(
        "admin/operate.html",
        job=target.job,
        delivery=target.delivery,
        campaign=target.campaign,
        is_unknown=target.is_unknown,
        has_messages=target.job.kind in job_actions.WITH_MESSAGES,
        is_retry=is_retry,
        back=_back(target),
    )


@blueprint.post("/<id:job_id>/retry")
def retry(job_id: int) -> Response:
    """Make a failed job pending again, with the deadline it had."""
    who, now = gates.require_admin(), current.now()
    with current.runtime().transaction() as session:
        _must_be_as_seen(job_actions.find_target(session, job_id))
        target = job_actions.retry_job(
            session,
            job_id,
            may_arrive_twice=request.form.get("twice") == "on",
            settings=current.runtime().settings,
            now=now,
            by=str(who.user_id),
        )
        back = _back(target)
    flash(_("It’s being retried."), "done")
    return redirect(back, code=303)


@blueprint.post("/<id:job_id>/cancel")
def cancel(job_id: int) -> Response:
    """Cancel a job; the ledger gets the reason."""
    who, now = gates.require_admin(), current.now()
    with current.runtime().transaction() as session:
        target = job_actions.find_target(session, job_id)
        _must_be_as_seen(target)
        messages = job_actions.cancel_job(session, job_id, now=now, by=str(who.user_id))
        back = _back(target)
    flash(
        ngettext(
            "Cancelled, with {number} unsent message. The ledger says why.",
            "Cancelled, with {number} unsent messages. The ledger says why.",
            messages,
        )
        if messages
        else _("Cancelled. The ledger says why."),
        "done",
    )
    return redirect(back, code=303)


def _must_be_as_seen(target: JobTarget) -> None:
    """Check that the job, its claims and its message are as the admin saw them. Raise ChangedSince."""
    check_unchanged("status", target.job.status.value)
    check_unchanged("claims", target.job.claims)
    check_unchanged("message", target.delivery.status.value if target.delivery is not None else None)


def _back(target: JobTarget) -> str:
    if target.delivery is not None:
        return url_for("admin.ledger.show_one", delivery_id=target.delivery.id)
    return url_for("admin.jobs.show")
