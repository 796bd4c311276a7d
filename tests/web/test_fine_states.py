"""An error says that something cannot be; what is already as it was wanted is no error.

Every refusal for a state stands here with why the state is not fine. A new one has to be thought about first: would a
second press, another tab or the way back lead to it, although all is well?
"""

from collections.abc import Iterator

from flask import Flask

from slomix.errors import Conflict, DomainError, TooSoon

REFUSALS = {
    "AddressTaken": "the address is another player's",
    "AlreadyJudged": "the voice check has told the room, which cannot be taken back",
    "AlreadyPicked": "the player is on a team, which a captain has to see",
    "AskedAlready": "others were asked, and a second message would nag",
    "CampaignCancelled": "a cancelled campaign stays so; its messages were withdrawn",
    "CampaignExists": "another campaign is in the way",
    "CampaignOver": "what has gone out cannot be stopped",
    "ChangedSince": "what the admin decided about is not there any more",
    "CodeTooSoon": "for JSON; the page waits for the code that was shown",
    "DryRunTooSoon": "another one would only be in the way of messages",
    "EnoughPlayers": "there is no player to ask for",
    "HasCaptain": "another captain leads that side",
    "JobNotFailed": "the job has not failed, which its admin believed",
    "JobNotPending": "the job is over, which its admin did not know",
    "JobRunning": "a worker has it, and may be sending",
    "MayArriveTwice": "has to be confirmed",
    "MessageTestTooSoon": "for nobody; the page says so in a note",
    "NameTaken": "another suggestion has that name",
    "NeedsCaptains": "a draft cannot begin without",
    "NoDraft": "the draft is over, so the pick did not count",
    "NotReady": "too few players are looking",
    "NotTonight": "the room is of another day",
    "NotYourTurn": "the pick did not count",
    "NothingAsked": "in a chat: there is no question that it could answer",
    "NothingToRetry": "nothing could arrive any more",
    "NothingToUndo": "there is no earlier state",
    "NowhereToAsk": "no room is configured",
    "OtherViewer": "the page belongs to another viewer",
    "PastDeadline": "it would not be true any more",
    "DeclinedTonight": "has to be confirmed",
    "ProfileRequestDecided": "another admin has decided, perhaps otherwise",
    "ProfileRequestPending": "another profile is asked for; the same one is answered as before",
    "ProfileTaken": "the profile is another user's",
    "RoleNotGranted": "the settings give it, or another admin took it back",
    "SideIsFull": "the pick did not count",
    "TeamsChanged": "the teams are not those that were looked at",
    "TooLateToUndo": "messages have left since, or a later change would be lost",
    "TooManyStreams": "the page asks every few seconds instead",
    "TooManyNames": "the suggestion was not kept",
}


def every(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for below in kind.__subclasses__():
        yield below
        yield from every(below)


def test_every_refusal_for_a_state_has_its_reason(app: Flask) -> None:
    found = {
        kind.__name__
        for base in (Conflict, TooSoon)
        for kind in every(base)
        if kind.__module__.startswith("slomix") and "legacy_import" not in kind.__module__
    }
    assert found == set(REFUSALS)
