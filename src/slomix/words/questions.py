"""What is asked before something that cannot be undone, with what follows from it."""

from typing import Final

UNLINK_TITLE: Final = "Unlink {player}?"
UNLINK_DO = "Unlink"
UNLINK_CONSEQUENCES = (
    "No more messages are sent to you.",
    "Your addresses on Telegram and Signal and your preferences are deleted. To have them back, link and choose anew.",
    "What you said about today and later days is cleared. You lose your place in the queue and on tonight’s team.",
    "The profile is free for anyone to pick.",
)
CHANGE_TITLE: Final = "Give up {old} and become {new}?"
CHANGE_DO: Final = "Become {new}"
REMOVE_TITLE: Final = "Unlink {channel}?"
REMOVE_DO: Final = "Unlink {channel}"
REMOVE_CONSEQUENCES: Final = (
    "No more messages are sent to you on {channel}.",
    "The address is deleted. To link it again you need a new code.",
)
CANCEL_TITLE = "Cancel tonight’s campaign?"
CANCEL_DO = "Cancel campaign"
CANCEL_CONSEQUENCES = (
    "Messages that have not left are not sent; those that have left stay.",
    "A cancelled campaign cannot be resumed. You can call a new one.",
)
LEAVE_TITLE = "Leave for tonight?"
LEAVE_DO = "Leave for tonight"
LEAVE_CONSEQUENCES = (
    "You are set to Not playing for tonight and lose your place in the queue.",
    "You leave your team; whoever leads or runs the room gives that up too.",
)
DELETE_NAME_TITLE: Final = "Delete the name {name}?"
DELETE_NAME_DO = "Delete the name"
DELETE_NAME_ONE_VOTE = "The vote for it is deleted too."
DELETE_NAME_VOTES: Final = "The {number} votes for it are deleted too."
HAND_OVER_TITLE: Final = "Hand the room over to {player}?"
HAND_OVER_DO = "Hand over"
HAND_OVER_CONSEQUENCES = ("You no longer run the room. Only they or a promoter can give it back to you.",)
REPEAT_TITLE = "Send it again?"
REPEAT_DO = "Send again"
REPEAT_CONSEQUENCES = ("It may have arrived already, and then it arrives twice.",)
