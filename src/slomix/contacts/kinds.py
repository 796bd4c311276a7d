"""What the kinds of messages that a player switches on or off are called, by the code of `rules.MessageKind`."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from slomix.i18n import N_, looked_up


class KindTexts(NamedTuple):
    """How one kind is called: in the API, on the stop page, in its messages and on their button, beside its tick."""

    meaning: str
    # "Alice gets no more …"
    stopped: str
    why: str
    # "Mute this kind: …"
    name: str
    title: str = ""
    # {threshold} is how many make a session.
    hint: str = ""


_MARKED = {
    "campaigns": KindTexts(
        meaning=N_("Be called by a promoter's campaign."),
        stopped=N_("calls to game nights"),
        why=N_("You turned on game-night reminders. Turn off: {link}"),
        name=N_("calls to game nights"),
        title=N_("Call me to game nights"),
        hint=N_(
            "If you said you’d play: a reminder, a ping at the start, and one nudge if you’re not in voice. The "
            "channel summary may list you as missing."
        ),
    ),
    "session_ready": KindTexts(
        meaning=N_("Hear when enough players are looking."),
        stopped=N_("messages when a session is ready"),
        why=N_("You turned on “session ready”. Turn off: {link}"),
        name=N_("session ready"),
        title=N_("Tell me when a session is ready"),
        hint=N_("As soon as {threshold} players are looking for tonight."),
    ),
    "daily_reminder": KindTexts(
        meaning=N_("Be asked once a day who has said nothing yet."),
        stopped=N_("the daily question"),
        why=N_("Daily check-in, as you turned it on. Turn off: {link}"),
        name=N_("daily reminder"),
        title=N_("Ask me once a day"),
        hint=N_("In the afternoon, on days for which you have not answered yet."),
    ),
    "more_needed": KindTexts(
        meaning=N_("Be mentioned on Discord when the room of tonight needs more players."),
        stopped=N_("mentions when tonight’s room needs more players"),
        why=N_("You turned on “more needed”. Turn off: {link}"),
        name=N_("more needed"),
        title=N_("Tell me when tonight’s room needs more players"),
        hint=N_("A player asks on Discord, at most every 15 minutes, and mentions you."),
    ),
    "looking": KindTexts(
        meaning=N_("Hear when so many are looking; 0 is off."),
        stopped=N_("messages when enough players are looking"),
        why=N_("You turned on “so many looking”. Turn off: {link}"),
        name=N_("so many looking"),
    ),
}


class _KindTable(Mapping[str, KindTexts]):
    """Looks the texts of a kind up when they are read."""

    def __getitem__(self, kind: str) -> KindTexts:
        return KindTexts(*looked_up(_MARKED[kind]))

    def __iter__(self) -> Iterator[str]:
        return iter(_MARKED)

    def __len__(self) -> int:
        return len(_MARKED)


KIND_TEXTS: Final = _KindTable()
