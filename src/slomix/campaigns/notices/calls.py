"""The notices that call a campaign's recipients together: reminder, start and follow-up."""

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from slomix.accounts.models import User
from slomix.availability import choices
from slomix.availability.models import Entry
from slomix.availability.rules import Status, still_late
from slomix.campaigns import queries, rules
from slomix.campaigns.models import Campaign, Recipient
from slomix.campaigns.rules import CampaignStatus, Planned, Skipped, Timeline
from slomix.channels.base import Button, Message
from slomix.config.settings import Settings
from slomix.contacts import unsubscribe
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.rules import MessageKind
from slomix.deliveries import service as deliveries
from slomix.deliveries.formatting import DiscordStyle, Style, style_for
from slomix.deliveries.notices import Notice, Occasion
from slomix.deliveries.rules import Budget, DeliveryStatus, Skip
from slomix.deliveries.service import NoticePlan
from slomix.i18n import _
from slomix.jobs.rules import Postpone
from slomix.presence import places
from slomix.presence.models import Observation, VoiceState
from slomix.presence.rules import VoiceSnapshot
from slomix.presence.service import VOICE
from slomix.reasons.codes import Explanation, Reason


@dataclass(frozen=True)
class Links:
    """Where a message leads: the board, the way to stop such messages, the voice room and the game server if any."""

    board: str
    stop: str
    voice_room: str | None
    game_server: str | None = None


def links_of(settings: Settings, stop: str | None = None) -> Links:
    """Return where messages lead; `stop` is the reader's own unsubscribe link."""
    return Links(
        board=settings.base_url + "/",
        stop=stop or settings.base_url + "/preferences",
        voice_room=places.voice_room_url(settings),
        game_server=places.game_server_address(settings),
    )


@dataclass(frozen=True)
class Facts:
    """What a call is put into words from."""

    start_at: datetime
    now: datetime
    links: Links
    style: Style
    # Whether the voice check has just found the reader on the game server.
    is_on_server: bool = False


@dataclass(frozen=True)
class RecipientSnapshot:
    """A recipient as the message leaves: what they say of the day, and where they were last seen."""

    campaign: Campaign
    status: Status | None
    discord_id: str
    voice: VoiceSnapshot
    # Until when they have said to be late.
    late_until: datetime | None
    # Whether the voice check found them on the game server.
    on_server: bool


class Call(Notice):
    """A call to one recipient; its event is the same for all campaigns of a day, so that no player is called twice."""

    kind = MessageKind.CAMPAIGNS
    budget = Budget.COUNTED
    phase: ClassVar[str]

    def event_key(self, day: date) -> str:
        """Return the ledger's name for this notice of one day."""
        return f"PROMOTE:{self.phase}:{day.isoformat()}"

    @abstractmethod
    def moment(self, timeline: Timeline) -> Planned | Skipped:
        """Return when it leaves, and until when it makes sense."""

    @abstractmethod
    def text(self, facts: Facts) -> str:
        """Put it into words."""

    def plan(
        self,
        session: Session,
        campaign: Campaign,
        player_ids: Collection[int],
        *,
        run_at: datetime,
        deadline_at: datetime | None,
        settings: Settings,
        now: datetime,
    ) -> None:
        """Plan it for these recipients, except for those who have it already."""
        key, attempts = self.event_key(campaign.day), settings.job_max_attempts
        plan = NoticePlan(self.name, campaign.subject, key, run_at, deadline_at, attempts, is_urgent=True)
        deliveries.plan_for_players(session, plan, player_ids, settings=settings, now=now)

    def compose(self, occasion: Occasion) -> Message | Skip | Postpone:
        seen = _snapshot(
            occasion.session, queries.campaign_id_of(occasion.delivery.subject), occasion.delivery.player_id or 0
        )
        reason = self._why_unwanted(seen, occasion)
        if reason is not None:
            return reason if isinstance(reason, Postpone) else Skip(reason)
        settings, now = occasion.runtime.settings, occasion.now
        reader = unsubscribe.reader_of(occasion.reach, settings=settings) if occasion.reach else None
        links = links_of(settings, reader.unsubscribe_link if reader else None)
        style = style_for(occasion.channel, reader.zone if reader else settings.zone, now)
        is_on_server = seen.on_server and _is_verdict_fresh(seen.campaign, settings, now)
        text = self.text(Facts(seen.campaign.start_at, now, links, style, is_on_server))
        return Message(text, buttons=self._buttons(occasion, seen.campaign.day, links))

    def _buttons(self, occasion: Occasion, day: date, links: Links) -> tuple[Button, ...]:
        """Return what can be answered by one press, where presses reach us."""
        if not choices.can_be_pressed(occasion):
            return ()
        settings, mark = occasion.runtime.settings, occasion.delivery.nonce
        late = choices.late_button(day, settings, mark=mark)
        no = choices.status_button(_("Can't tonight"), day, Status.NOT_PLAYING.key, settings, mark=mark)
        return (self._yes(day, settings, mark, links), late, no)

    def _yes(self, _day: date, _settings: Settings, _mark: str, links: Links) -> Button:
        """Return the button of those who come: the way to voice, or to the board."""
        return (
            Button(_("Join voice"), link=links.voice_room)
            if links.voice_room
            else Button(_("Open Slomix"), link=links.board)
        )

    def _why_unwanted(self, seen: RecipientSnapshot, occasion: Occasion) -> Reason | Postpone | None:
        """Return why it should not leave: the campaign is cancelled, or the recipient withdrew."""
        if seen.campaign.status is CampaignStatus.CANCELLED:
            return Reason.WITHDRAWN
        return rules.withdrawal_reason(seen.status) or self._why_not_now(seen, occasion)

    @abstractmethod
    def _why_not_now(self, seen: RecipientSnapshot, occasion: Occasion) -> Reason | Postpone | None:
        """Return why this call in particular should not leave, or not yet."""

    def reached(self, session: Session, campaign: Campaign, player_ids: list[int]) -> dict[int, datetime | None]:
        """Return those of the players whom it reached, or may have reached, and when."""
        told = deliveries.notification_states(session, self.event_key(campaign.day), player_ids)
        reached = {DeliveryStatus.SENT, DeliveryStatus.UNKNOWN}
        return {
            player_id: told[player_id].settled_at
            for player_id in player_ids
            if player_id in told and told[player_id].status in reached
        }


class Reminder(Call):
    """A quarter of an hour before the start."""

    name = rules.REMINDER
    phase = "T-15"

    def moment(self, timeline: Timeline) -> Planned | Skipped:
        return timeline.reminder

    def _yes(self, day: date, settings: Settings, mark: str, _links: Links) -> Button:
        return choices.status_button(_("I'm in"), day, Status.LOOKING.key, settings, mark=mark)

    def text(self, facts: Facts) -> str:
        time, countdown = facts.style.time(facts.start_at), facts.style.countdown(facts.start_at)
        return _with_footer(
            _("Game night starts at {time} ({countdown}). See you there?").format(time=time, countdown=countdown), facts
        )

    def _why_not_now(self, _seen: RecipientSnapshot, _occasion: Occasion) -> None:
        """Let it leave."""


class Start(Call):
    """At the start, to those who are not in voice yet."""

    name = rules.START
    phase = "T0"

    def moment(self, timeline: Timeline) -> Planned | Skipped:
        return timeline.start

    def text(self, facts: Facts) -> str:
        if (facts.now - facts.start_at).total_seconds() >= 60:
            opening = _("Game night has begun, at {time}. Come and join!").format(time=facts.style.time(facts.start_at))
        else:
            opening = _("Game night starts now. Come and join!")
        return _with_footer(opening, facts, room=True, server=True)

    def _why_not_now(self, seen: RecipientSnapshot, occasion: Occasion) -> Reason | None:
        """Skip players in voice; if that is not known, let it leave."""
        return Reason.ALREADY_IN_VOICE if _is_in_voice(seen, occasion) else None


class FollowUp(Call):
    """After the voice check, to those whom the start reached and who are missing."""

    name = rules.VOICE_CHECK
    phase = "FOLLOWUP"

    def moment(self, timeline: Timeline) -> Planned | Skipped:
        return timeline.voice_check

    def text(self, facts: Facts) -> str:
        """Show players who are on the game server only the way to voice."""
        opening = (
            _("We are starting. We see you on the server, not in voice: will you join us there?")
            if facts.is_on_server
            else _("We’re starting – still coming?")
        )
        return _with_footer(opening, facts, room=True, server=not facts.is_on_server)

    def _why_not_now(self, seen: RecipientSnapshot, occasion: Occasion) -> Reason | Postpone | None:
        """Skip players in voice, and all players if the verdict is old and voice is no longer known.

        Who has said to be late is left in peace until then.
        """
        late_until = still_late(seen.late_until, occasion.now)
        if late_until is not None:
            return Postpone(late_until)
        is_in_voice = _is_in_voice(seen, occasion)
        if is_in_voice is not None:
            return Reason.ALREADY_IN_VOICE if is_in_voice else None
        is_fresh = _is_verdict_fresh(seen.campaign, occasion.runtime.settings, occasion.now)
        return None if is_fresh else Reason.VOICE_NO_LONGER_KNOWN


REMINDER, START, FOLLOW_UP = Reminder(), Start(), FollowUp()
CALLS: tuple[Call, ...] = (REMINDER, START, FOLLOW_UP)


def invited(session: Session, campaign: Campaign, player_ids: list[int]) -> set[int]:
    """Return the players whom the reminder reached, or whom the start left alone as they were in voice already."""
    started = deliveries.notification_states(session, START.event_key(campaign.day), player_ids)
    in_voice = {player for player, state in started.items() if state.reason == Explanation(Reason.ALREADY_IN_VOICE)}
    return in_voice | set(REMINDER.reached(session, campaign, player_ids))


def texts(start_at: datetime, now: datetime, *, with_reminder: bool, settings: Settings) -> dict[str, str]:
    """Return what the calls would say on Discord, in their order, for a preview."""
    facts = Facts(start_at, max(start_at, now), links_of(settings), DiscordStyle())
    return {call.name: call.text(facts) for call in CALLS if with_reminder or call is not REMINDER}


def _is_in_voice(seen: RecipientSnapshot, occasion: Occasion) -> bool | None:
    """Return whether the recipient is in voice; None if that is not known."""
    settings = occasion.runtime.settings
    if not seen.voice.is_fresh(occasion.now, settings.presence_max_age):
        return None
    return places.rooms(settings).voice_status(seen.voice.rooms.get(seen.discord_id)).is_in_voice


def _is_verdict_fresh(campaign: Campaign, settings: Settings, now: datetime) -> bool:
    """Return whether the voice check's verdict is recent enough to mention; true before there is a verdict."""
    return campaign.judged_at is None or now - campaign.judged_at <= settings.presence_max_age


def _with_footer(opening: str, facts: Facts, *, room: bool = False, server: bool = False) -> str:
    links = facts.links
    lines = [opening]
    if room and links.voice_room:
        lines.append(_("Voice: {link}").format(link=links.voice_room))
    if server and links.game_server:
        lines.append(_("Server: /connect {server}").format(server=links.game_server))
    lines += [
        _("Tonight: {link}").format(link=links.board),
        KIND_TEXTS[MessageKind.CAMPAIGNS].why.format(link=facts.style.quiet_link(links.stop)),
    ]
    return "\n".join(lines)


# Built once, as it runs for every recipient.
_PLAYER: BindParameter[int] = bindparam("player")
_SNAPSHOT = (
    select(
        Campaign,
        Entry.status,
        User.discord_id,
        Observation.observed_at,
        VoiceState.voice_channel_id,
        Recipient.on_server,
        Entry.late_until,
    )
    .outerjoin(Entry, (Entry.day == Campaign.day) & (Entry.player_id == _PLAYER))
    .outerjoin(User, User.player_id == _PLAYER)
    .outerjoin(VoiceState, VoiceState.discord_id == User.discord_id)
    .outerjoin(Observation, Observation.source == VOICE)
    .outerjoin(Recipient, (Recipient.campaign_id == Campaign.id) & (Recipient.player_id == _PLAYER))
    .where(Campaign.id == bindparam("campaign"))
    .execution_options(populate_existing=True)
)


def _snapshot(session: Session, campaign_id: int, player_id: int) -> RecipientSnapshot:
    """Read everything about a recipient and the evening in one query. Raise NoSuchCampaign."""
    row = session.execute(_SNAPSHOT, {"campaign": campaign_id, "player": player_id}).one_or_none()
    if row is None:
        raise queries.NoSuchCampaign
    discord_id = row.discord_id or ""
    rooms = {discord_id: row.voice_channel_id} if row.voice_channel_id is not None else {}
    voice = VoiceSnapshot(row.observed_at, rooms)
    return RecipientSnapshot(
        row.Campaign, row.status, discord_id, voice, late_until=row.late_until, on_server=bool(row.on_server)
    )
