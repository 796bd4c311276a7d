"""The closed set of reasons, and a reason with its technical detail."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from slomix.i18n import N_, Texts, gettext


class Reason(enum.StrEnum):
    """Why a message did not go out, or a part of the evening did not happen. A new one needs a migration."""

    # About the person
    NOT_LINKED = "not_linked"
    LEFT_OUR_SERVER = "left_our_server"
    NOT_OPTED_IN = "not_opted_in"
    NO_WORKING_CONTACT = "no_working_contact"
    QUIET_HOURS = "quiet_hours"
    ENOUGH_FOR_TODAY = "enough_for_today"
    HAS_ANSWERED = "has_answered"
    STATUS_CLEARED = "status_cleared"
    NOT_PLAYING = "not_playing"
    ALREADY_IN_VOICE = "already_in_voice"
    # About the evening
    NOT_SO_MANY_ANY_MORE = "not_so_many_any_more"
    ENOUGH_BY_NOW = "enough_by_now"
    PICKED_IN_TIME = "picked_in_time"
    NOBODY_PICKED = "nobody_picked"
    NO_MEMBERS_KNOWN = "no_members_known"
    VOICE_NOT_KNOWN = "voice_not_known"
    VOICE_NO_LONGER_KNOWN = "voice_no_longer_known"
    TOO_LATE = "too_late"
    EXPIRED = "expired"
    SWITCHED_OFF = "switched_off"
    WITHDRAWN = "withdrawn"
    CANCELLED_BY_OPERATOR = "cancelled_by_operator"
    EVENING_IS_OVER = "evening_is_over"
    DANGER_IS_OVER = "danger_is_over"
    NOBODY_WAS_TOLD = "nobody_was_told"
    NOBODY_LEFT_TO_TELL = "nobody_left_to_tell"
    TOLD_THERE = "told_there"
    # The detail is a delivery's status.
    ALREADY = "already"
    # About the try
    NO_TRY_LEFT = "no_try_left"
    ANSWER_NOT_SEEN = "answer_not_seen"
    WORKER_DID_NOT_COME_BACK = "worker_did_not_come_back"
    UNREADABLE = "unreadable"
    # The detail is our exception.
    CRASHED = "crashed"
    # About the provider; the detail is what it or our library says.
    DISCORD_NOT_REACHED = "discord_not_reached"
    DISCORD_DID_NOT_ANSWER = "discord_did_not_answer"
    DISCORD_TOO_SLOW = "discord_too_slow"
    DISCORD_HIDES_ROOM = "discord_hides_room"
    DISCORD_IS_BUSY = "discord_is_busy"
    DISCORD_BLOCKS_US = "discord_blocks_us"
    DISCORD_TOKEN_REFUSED = "discord_token_refused"
    DMS_CLOSED = "dms_closed"
    NO_MUTUAL_SERVER = "no_mutual_server"
    DISCORD_SAID = "discord_said"
    DISCORD_ANSWERED = "discord_answered"
    TELEGRAM_NOT_REACHED = "telegram_not_reached"
    TELEGRAM_DID_NOT_ANSWER = "telegram_did_not_answer"
    TELEGRAM_IS_BUSY = "telegram_is_busy"
    TELEGRAM_BLOCKED = "telegram_blocked"
    TELEGRAM_CHAT_GONE = "telegram_chat_gone"
    TELEGRAM_DEACTIVATED = "telegram_deactivated"
    TELEGRAM_NOT_STARTED = "telegram_not_started"
    TELEGRAM_IS_A_BOT = "telegram_is_a_bot"
    TELEGRAM_NO_SUCH_CHAT = "telegram_no_such_chat"
    TELEGRAM_SAID = "telegram_said"
    SIGNAL_NOT_REACHED = "signal_not_reached"
    SIGNAL_DID_NOT_ANSWER = "signal_did_not_answer"
    SIGNAL_IS_BUSY = "signal_is_busy"
    SIGNAL_CHALLENGE = "signal_challenge"
    SIGNAL_UNKNOWN_NUMBER = "signal_unknown_number"
    SIGNAL_SAID = "signal_said"
    NOT_E164 = "not_e164"
    # A sentence stored before there were codes; it is the detail.
    OTHER = "other"


# Why a message did not go out, or a part of the evening did not happen, by the code that is stored; shown after a word
# such as "skipped". {detail} is technical: what a provider or its library says, or a status such as "sent".
REASON_TEXTS = Texts(
    {
        "not_linked": N_("not linked"),
        "left_our_server": N_("left our Discord server"),
        "not_opted_in": N_("not opted in"),
        "no_working_contact": N_("no working contact"),
        "quiet_hours": N_("quiet hours"),
        # As many messages as a person gets a day without asking for them.
        "enough_for_today": N_("enough for today"),
        "has_answered": N_("has answered already"),
        "status_cleared": N_("cleared their status"),
        "not_playing": N_("not playing"),
        "already_in_voice": N_("already in voice"),
        "not_so_many_any_more": N_("not enough players any more"),
        "enough_by_now": N_("enough players by now"),
        "picked_in_time": N_("picked in time"),
        "nobody_picked": N_("nobody was picked"),
        "no_members_known": N_("we couldn’t see who’s in our Discord server"),
        "voice_not_known": N_("we couldn’t see who’s in voice"),
        "voice_no_longer_known": N_("we can’t see who’s in voice any more"),
        "too_late": N_("too late"),
        "expired": N_("expired"),
        "switched_off": N_("switched off"),
        "withdrawn": N_("cancelled"),
        "cancelled_by_operator": N_("cancelled by an operator"),
        "evening_is_over": N_("the evening is over"),
        "danger_is_over": N_("the problem is over"),
        "nobody_was_told": N_("nobody was notified"),
        "nobody_left_to_tell": N_("nobody left to notify"),
        "told_there": N_("sent by the earlier site"),
        "already": N_("already {detail}"),
        "no_try_left": N_("no attempts left"),
        "answer_not_seen": N_("the answer was not seen"),
        "worker_did_not_come_back": N_("the worker didn’t come back"),
        # An address was sealed with a key that we do not have any more.
        "unreadable": N_("we can no longer read this address; please link it again"),
        "crashed": N_("{detail}"),
        "discord_not_reached": N_("Discord can’t be reached ({detail})"),
        "discord_did_not_answer": N_("Discord didn’t answer ({detail})"),
        "discord_too_slow": N_("Discord takes too long to answer"),
        "discord_hides_room": N_("Discord doesn’t let us read that room (Read Message History)"),
        "discord_is_busy": N_("Discord asks us to slow down (429)"),
        "discord_blocks_us": N_("Discord blocks our address for a while"),
        "discord_token_refused": N_("Discord refuses our bot’s token; an operator has to set a new one"),
        "dms_closed": N_("DMs from the bot are blocked"),
        "no_mutual_server": N_("shares no Discord server with the bot"),
        "discord_said": N_("Discord: {detail}"),
        "discord_answered": N_("Discord answered {detail}"),
        "telegram_not_reached": N_("Telegram can’t be reached ({detail})"),
        "telegram_did_not_answer": N_("Telegram didn’t answer ({detail})"),
        "telegram_is_busy": N_("Telegram asks us to slow down (429)"),
        "telegram_blocked": N_("the bot is blocked there"),
        "telegram_chat_gone": N_("the Telegram chat is gone"),
        "telegram_deactivated": N_("this Telegram account was deleted"),
        "telegram_not_started": N_("has never written to the bot on Telegram"),
        "telegram_is_a_bot": N_("this is a bot on Telegram, and bots get no messages from bots"),
        "telegram_no_such_chat": N_("Telegram knows no such chat"),
        "telegram_said": N_("Telegram: {detail}"),
        "signal_not_reached": N_("Signal can’t be reached ({detail})"),
        "signal_did_not_answer": N_("Signal didn’t answer ({detail})"),
        "signal_is_busy": N_("Signal asks us to slow down"),
        "signal_challenge": N_("Signal wants an operator to solve a captcha"),
        "signal_unknown_number": N_("Signal doesn’t know this account"),
        "signal_said": N_("Signal: {detail}"),
        "not_e164": N_("this is neither an account on Signal nor a phone number with its country code"),
        "other": N_("{detail}"),
    }
)

# What the owner of an address can do about it; then a test message shows whether it works.
CONTACT_REMEDIES = Texts(
    {
        "dms_closed": N_(
            "In Discord: server menu → Privacy Settings → allow direct messages. Then send yourself a test message."
        ),
        "no_mutual_server": N_("Join our Discord server, then send yourself a test message."),
    }
)


LONGEST_DETAIL = 1000
# After these the second reason explains the first, so a colon joins them; after all others it came later.
_OPENING = frozenset({Reason.VOICE_NOT_KNOWN})


@dataclass(frozen=True)
class Explanation:
    """A reason, its technical detail, and a second reason that goes with it."""

    code: Reason
    detail: str | None = None
    then: "Explanation | None" = None

    def __str__(self) -> str:
        """Return the text, for people, in the language that is spoken here."""
        detail = self.detail
        if detail and self.code is Reason.ALREADY:
            detail = gettext(detail)  # the name of a status, a text of its own
        text = REASON_TEXTS[self.code].format(detail=detail)
        if self.then is None:
            return text
        return f"{text}{': ' if self.code in _OPENING else '; '}{self.then}"

    def followed_by(self, code: Reason) -> "Explanation":
        """Return this explanation with a reason that came later."""
        last = Explanation(code) if self.then is None else self.then.followed_by(code)
        return replace(self, then=last)

    def shortened(self) -> "Explanation":
        """Return this explanation with its details cut short: a proxy may answer with a whole page."""
        return replace(
            self,
            detail=self.detail[:LONGEST_DETAIL] if self.detail is not None else None,
            then=self.then.shortened() if self.then is not None else None,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the stored form."""
        then = self.then.as_json() if self.then is not None else None
        stored = {"code": self.code.value, "detail": self.detail, "then": then}
        return {name: value for name, value in stored.items() if value is not None}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote."""
        then = stored.get("then")
        return cls(Reason(stored["code"]), stored.get("detail"), cls.of_json(then) if then is not None else None)
