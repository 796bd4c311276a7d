"""The messages of a dry run, which only its promoter gets, to see what players would get."""

from datetime import datetime

from sqlalchemy.orm import Session

from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.notices import summary
from slomix.campaigns.notices.calls import CALLS, Call, Facts, links_of
from slomix.channels.base import Message
from slomix.config.settings import Settings
from slomix.contacts.rules import ChannelName
from slomix.deliveries import service as deliveries
from slomix.deliveries.formatting import DiscordStyle
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import Budget
from slomix.deliveries.service import NoticePlan
from slomix.i18n import _


class DryRunNotice(Notice):
    """One of the messages of a dry run."""

    budget = Budget.FREE
    heeds_quiet_hours = False
    keeps_channel = True

    def __init__(self, of_notice: str) -> None:
        self._of_notice = of_notice
        self.name = f"{rules.DRY_RUN}.{of_notice}"

    def plan(self, session: Session, campaign: Campaign, *, settings: Settings, now: datetime) -> None:
        """Plan it as a Discord DM to the promoter."""
        key, until = f"DRYRUN:{campaign.id}:{self._of_notice}", now + rules.START_GRACE
        plan = NoticePlan(self.name, campaign.subject, key, now, until, channel=ChannelName.DISCORD)
        deliveries.plan_for_players(session, plan, [campaign.promoter_id], settings=settings, now=now)

    def compose(self, occasion: Occasion) -> Message:
        campaign = queries.campaign_of_subject(occasion.session, occasion.delivery.subject)
        return Message(_("[Dry run, only you see this]\n{message}").format(message=self._text(campaign, occasion)))

    def _text(self, campaign: Campaign, occasion: Occasion) -> str:
        facts = summary.would_be(occasion.session, campaign, occasion.runtime.settings, occasion.now)
        return summary.text(facts)


class DryRunCall(DryRunNotice):
    """The dry run of a reminder, start or follow-up."""

    def __init__(self, call: Call) -> None:
        super().__init__(call.name)
        self._call = call

    def _text(self, campaign: Campaign, occasion: Occasion) -> str:
        is_early = self._call.name == rules.REMINDER
        told_at = occasion.now if is_early else max(occasion.now, campaign.start_at)
        return self._call.text(Facts(campaign.start_at, told_at, links_of(occasion.runtime.settings), DiscordStyle()))


# In the order in which they are sent.
NOTICES: tuple[DryRunNotice, ...] = (*(DryRunCall(call) for call in CALLS), DryRunNotice(rules.SUMMARY))
