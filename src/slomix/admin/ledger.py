"""The ledger, read-only: each delivery's recipient and state, but neither text nor address."""

from datetime import date

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from slomix.admin import job_actions, search
from slomix.admin.request_args import before_id, parse_choice, search_text
from slomix.admin.search import DeliveryFilter
from slomix.availability.rules import NoSuchDay, parse_day
from slomix.campaigns.rules import campaign_of
from slomix.contacts.rules import ChannelName
from slomix.deliveries import service as deliveries
from slomix.deliveries.models import Delivery
from slomix.deliveries.names import NOTICE_NAMES
from slomix.deliveries.rules import DeliveryStatus
from slomix.errors import DomainError, NotFound
from slomix.i18n import N_
from slomix.jobs.rules import JobStatus
from slomix.web import current, responses
from slomix.web.reading import reading

blueprint = Blueprint("ledger", __name__, url_prefix="/ledger")


class NoSuchDelivery(NotFound):
    sentence = N_("There is no such message in the ledger.")


@blueprint.get("")
def show() -> str:
    notice, campaign = request.args.get("notice", ""), request.args.get("campaign", "")
    chosen = DeliveryFilter(
        day=_day(request.args.get("day", "")),
        status=parse_choice(DeliveryStatus, "status"),
        channel=parse_choice(ChannelName, "channel"),
        notice=notice if notice in NOTICE_NAMES else "",
        text=search_text(),
        campaign=responses.parse_id(campaign),
    )
    settings = current.runtime().settings
    with reading() as session:
        lines, next_before = search.find_deliveries(session, chosen, before_id=before_id(), settings=settings)
        counts = search.count_by_status(session, chosen, settings=settings)
    return render_template(
        "admin/ledger.html",
        lines=lines,
        counts=counts,
        next_before=next_before,
        chosen=chosen,
        statuses=list(DeliveryStatus),
        today=current.today(current.now()),
    )


@blueprint.get("/<id:delivery_id>")
def show_one(delivery_id: int) -> str:
    """Show one delivery with its attempts, and whether it can be retried or cancelled."""
    with reading() as session:
        row = session.get(Delivery, delivery_id)
        if row is None:
            raise NoSuchDelivery
        [line] = search.delivery_lines(session, [row])
        job = job_actions.job_of_delivery(session, delivery_id)
        shown = {
            "line": line,
            "job": job,
            "attempts": deliveries.attempts_of(session, [delivery_id]).get(delivery_id, []),
            "may_retry": job is not None and _may_retry(session, job.id),
            "may_cancel": job is not None and job.status is JobStatus.PENDING,
            "campaign": campaign_of(row.subject),
        }
    return render_template("admin/delivery.html", **shown)


def _may_retry(session: Session, job_id: int) -> bool:
    try:
        job_actions.check_retriable(
            session, job_actions.find_target(session, job_id), settings=current.runtime().settings, now=current.now()
        )
    except DomainError:
        return False
    return True


def _day(text: str) -> date | None:
    """Read the date to filter by; None for an impossible one."""
    try:
        day = parse_day(text)
    except NoSuchDay:
        return None
    return day if 2000 <= day.year < 9999 else None
