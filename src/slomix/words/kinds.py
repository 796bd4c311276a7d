"""What we call the kinds of messages that a player switches on or off, by the code of `contacts.rules.MessageKind`."""

from typing import Final, NamedTuple

from slomix.words.messages import HOW_TO_STOP


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


KIND_TEXTS: Final = {
    "campaigns": KindTexts(
        meaning="Be called by a promoter's campaign.",
        stopped="calls to game nights",
        why=HOW_TO_STOP,
        name="calls to game nights",
        title="Call me to game nights",
        hint="When you said you would play: a message before the start, one at the start, and one more when you are "
        "not in voice by then. The summary in our room may name you as awaited.",
    ),
    "session_ready": KindTexts(
        meaning="Hear when enough people are looking.",
        stopped="messages when a session is ready",
        why="You get this because you asked to hear when a session is ready. Why, and how to stop it: {link}",
        name="session ready",
        title="Tell me when a session is ready",
        hint="As soon as {threshold} players are looking for tonight.",
    ),
    "daily_reminder": KindTexts(
        meaning="Be asked once a day who has said nothing yet.",
        stopped="the daily question",
        why="You get this because you asked to be asked once a day. Why, and how to stop it: {link}",
        name="daily reminder",
        title="Ask me once a day",
        hint="In the afternoon, on days for which you have not answered yet.",
    ),
    "more_needed": KindTexts(
        meaning="Be mentioned on Discord when the room of tonight needs more players.",
        stopped="mentions when tonight’s room needs more players",
        why="You get this because you asked to hear when more are needed. Why, and how to stop it: {link}",
        name="more needed",
        title="Tell me when tonight’s room needs more players",
        hint="A player asks on Discord, at most every 15 minutes, and mentions you.",
    ),
    "looking": KindTexts(
        meaning="Hear when so many are looking; 0 is off.",
        stopped="messages when enough players are looking",
        why="You get this because you asked to hear when so many are looking. Why, and how to stop it: {link}",
        name="so many looking",
    ),
}
