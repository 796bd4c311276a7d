"""The warnings to a promoter: no follow-up was possible, or tonight is at risk."""

from datetime import datetime

from sqlalchemy.orm import Session

from slomix.campaigns import queries, risk_facts, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.notices.calls import links_of
from slomix.campaigns.rules import CampaignStatus
from slomix.channels.base import Message
from slomix.clock import wall_now
from slomix.config.settings import Settings
from slomix.deliveries import service as deliveries
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import Budget, Skip
from slomix.deliveries.service import NoticePlan
from slomix.i18n import _
from slomix.reasons.codes import Reason


class PresenceUnknown(Notice):
    """The voice check could not see who is in voice."""

    name = rules.PRESENCE_UNKNOWN
    budget = Budget.COUNTED

    def plan(self, session: Session, campaign: Campaign, *, settings: Settings, now: datetime) -> None:
        """Plan it, once."""
        key = f"PRESENCE_UNKNOWN:{campaign.id}"
        plan = NoticePlan(self.name, campaign.subject, key, now, now + rules.FOLLOWUP_GRACE, is_urgent=True)
        deliveries.plan_for_players(session, plan, [campaign.promoter_id], settings=settings, now=now)

    def compose(self, occasion: Occasion) -> Message:
        return Message(
            _(
                "We couldn’t see who’s in voice tonight, so no second reminder went out. "
                "The campaign card has the details: {link}"
            ).format(link=links_of(occasion.runtime.settings).board)
        )


class AtRisk(Notice):
    """Something may keep tonight's messages from arriving."""

    name = rules.AT_RISK
    budget = Budget.COUNTED

    def plan(
        self,
        session: Session,
        campaign: Campaign,
        *,
        number: int,
        deadline_at: datetime | None,
        settings: Settings,
        now: datetime,
    ) -> None:
        """Plan the warning with this number, counted from 1."""
        key = f"AT_RISK:{campaign.id}" + (f":{number}" if number > 1 else "")
        plan = NoticePlan(self.name, campaign.subject, key, now, deadline_at, is_urgent=True)
        deliveries.plan_for_players(session, plan, [campaign.promoter_id], settings=settings, now=now)

    def compose(self, occasion: Occasion) -> Message | Skip:
        session, settings = occasion.session, occasion.runtime.settings
        campaign = queries.campaign_of_subject(session, occasion.delivery.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return Skip(Reason.WITHDRAWN)
        found = risk_facts.assess_risks(session, campaign, settings=settings, now=occasion.now, wall=wall_now())
        if not found:
            return Skip(Reason.DANGER_IS_OVER)
        reasons = "; ".join(risk.reason for risk in found)
        return Message(
            _("Tonight may go wrong: {reasons}. The campaign card says more: {link}").format(
                reasons=reasons, link=f"{settings.base_url}/campaigns/{campaign.id}"
            )
        )


PRESENCE_UNKNOWN, AT_RISK = PresenceUnknown(), AtRisk()
