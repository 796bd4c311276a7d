"""What the ledger asks about a campaign's messages at the moment of sending: still wanted, and in which words."""

from datetime import datetime

from sqlalchemy.orm import Session

from slomix import words
from slomix.campaigns import attendance, messages, queries, recipient_snapshot, risk_facts, rules
from slomix.campaigns.models import Campaign
from slomix.campaigns.recipient_snapshot import LastLook
from slomix.campaigns.risk import Risk
from slomix.campaigns.rules import CampaignStatus
from slomix.channels.base import Message
from slomix.clock import wall_now
from slomix.config.settings import Settings
from slomix.contacts import unsubscribe
from slomix.contacts.rules import Kind
from slomix.deliveries.formatting import Occasion, OnDiscord, Style, style_for
from slomix.deliveries.handlers import Notice
from slomix.deliveries.models import Delivery
from slomix.deliveries.rules import Skip
from slomix.presence import places
from slomix.reasons.codes import Reason
from slomix.runtime.context import Runtime


def links_of(settings: Settings, stop: str | None = None) -> messages.Links:
    """Where messages lead; `stop` is the reader's own link to have no more of them."""
    return messages.Links(
        board=settings.base_url + "/",
        stop=stop or settings.base_url + "/preferences",
        voice_room=places.voice_room(settings),
        game_server=places.game_server(settings),
    )


class ToRecipient:
    """Reminder, start and follow-up: what they have in common."""

    kind = Kind.CAMPAIGNS
    heeds_quiet_hours = True
    keeps_channel = False

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def still_wanted(self, runtime: Runtime, session: Session, delivery: Delivery, now: datetime) -> Skip | None:
        """Not after a cancel, not to who withdrew, and (start, follow-up) not to who is in voice already."""
        seen = self._look(session, delivery)
        if seen.campaign.status is CampaignStatus.CANCELLED:
            return Skip(Reason.WITHDRAWN)
        reason = rules.why_unwanted(seen.status)
        if reason is not None:
            return Skip(reason)
        if self._kind == rules.REMINDER:
            return None
        if seen.voice.is_fresh(now, runtime.settings.presence_max_age):
            where = attendance.rooms_of(runtime.settings).whereabouts(seen.voice.rooms.get(seen.discord_id))
            return Skip(Reason.ALREADY_IN_VOICE) if where.is_in_voice else None
        return self._why_not_unseen(runtime, seen.campaign, now)

    def words(self, runtime: Runtime, session: Session, delivery: Delivery, occasion: Occasion) -> Message:
        seen, reach, now = self._look(session, delivery), occasion.reach, occasion.now
        reader = unsubscribe.reader_of(reach, self.kind, settings=runtime.settings) if reach is not None else None
        style = style_for(occasion.channel, reader.zone if reader else runtime.settings.zone, now)
        links = links_of(runtime.settings, reader.stop_link if reader else None)
        is_on_server = seen.on_server and attendance.may_still_be_said(seen.campaign, runtime.settings, now)
        return Message(self.text(seen.campaign, links, style, now, is_on_server=is_on_server))

    def text(
        self, campaign: Campaign, links: messages.Links, style: Style, now: datetime, *, is_on_server: bool = False
    ) -> str:
        match self._kind:
            case rules.REMINDER:
                return messages.reminder(campaign.start_at, links, style)
            case rules.START:
                return messages.start(campaign.start_at, now, links, style)
            case _:
                return messages.followup(links, style, is_on_server=is_on_server)

    def _look(self, session: Session, delivery: Delivery) -> LastLook:
        return recipient_snapshot.take(session, queries.id_of(delivery.subject), delivery.player_id or 0)

    def _why_not_unseen(self, runtime: Runtime, campaign: Campaign, now: datetime) -> Skip | None:
        """With nobody knowing who is in voice: a start goes out all the same, an old verdict of missing does not."""
        if self._kind == rules.START or attendance.may_still_be_said(campaign, runtime.settings, now):
            return None
        return Skip(Reason.VOICE_NO_LONGER_KNOWN)


class Summary:
    """The post to the room after the voice check."""

    kind = None
    heeds_quiet_hours = False
    keeps_channel = False

    def still_wanted(self, runtime: Runtime, session: Session, delivery: Delivery, now: datetime) -> Skip | None:
        campaign = queries.of_subject(session, delivery.subject)
        return Skip(Reason.WITHDRAWN) if campaign.status is CampaignStatus.CANCELLED else None

    def words(self, runtime: Runtime, session: Session, delivery: Delivery, occasion: Occasion) -> Message:
        campaign = queries.of_subject(session, delivery.subject)
        return Message(messages.summary(attendance.summary_facts(session, campaign, runtime.settings, occasion.now)))


class PresenceUnknown:
    """The warning to a promoter that nobody could be called a second time."""

    kind = None
    heeds_quiet_hours = True
    keeps_channel = False

    def still_wanted(self, runtime: Runtime, session: Session, delivery: Delivery, now: datetime) -> Skip | None:
        return None

    def words(self, runtime: Runtime, session: Session, delivery: Delivery, occasion: Occasion) -> Message:
        return Message(messages.presence_unknown(links_of(runtime.settings)))


class AtRisk:
    """The warning to a promoter that tonight may go wrong."""

    kind = None
    heeds_quiet_hours = True
    keeps_channel = False

    def still_wanted(self, runtime: Runtime, session: Session, delivery: Delivery, now: datetime) -> Skip | None:
        campaign = queries.of_subject(session, delivery.subject)
        if campaign.status is CampaignStatus.CANCELLED:
            return Skip(Reason.WITHDRAWN)
        return None if self._risks(runtime, session, campaign, now) else Skip(Reason.DANGER_IS_OVER)

    def words(self, runtime: Runtime, session: Session, delivery: Delivery, occasion: Occasion) -> Message:
        campaign = queries.of_subject(session, delivery.subject)
        found = self._risks(runtime, session, campaign, occasion.now)
        link = f"{runtime.settings.base_url}/campaigns/{campaign.id}"
        return Message(messages.at_risk([one.reason for one in found] or [words.RISK_PASSING], link))

    def _risks(self, runtime: Runtime, session: Session, campaign: Campaign, now: datetime) -> list[Risk]:
        return risk_facts.look(session, campaign, settings=runtime.settings, now=now, wall=wall_now())


class DryRun:
    """One of the messages that a promoter sends to nobody but themselves."""

    kind = None
    heeds_quiet_hours = False
    keeps_channel = True

    def __init__(self, notice: str) -> None:
        self._kind = notice.removeprefix("dry_run.")

    def still_wanted(self, runtime: Runtime, session: Session, delivery: Delivery, now: datetime) -> Skip | None:
        return None

    def words(self, runtime: Runtime, session: Session, delivery: Delivery, occasion: Occasion) -> Message:
        campaign, now = queries.of_subject(session, delivery.subject), occasion.now
        if self._kind == rules.SUMMARY:
            return Message(
                messages.dry_run(messages.summary(attendance.would_be(session, campaign, runtime.settings, now)))
            )
        told_at = now if self._kind == rules.REMINDER else max(now, campaign.start_at)
        text = ToRecipient(self._kind).text(campaign, links_of(runtime.settings), OnDiscord(), told_at)
        return Message(messages.dry_run(text))


NOTICES: dict[str, Notice] = {
    **{kind: ToRecipient(kind) for kind in rules.JOB_KINDS},
    rules.SUMMARY: Summary(),
    rules.PRESENCE_UNKNOWN: PresenceUnknown(),
    rules.AT_RISK: AtRisk(),
    **{notice: DryRun(notice) for notice in rules.DRY_RUN_NOTICES},
}
