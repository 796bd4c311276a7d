"""What is wrong with the thread on Discord, on the room's page: whom it is about, for those who manage the room."""

import pytest
from sqlalchemy import select

from slomix.planning import service as planning
from slomix.planning.models import Room, RoomThread
from slomix.reasons.codes import Explanation, Reason
from tests.services.planning import Tonight
from tests.web.conftest import Browse
from tests.web.planning import PAGE, arranged
from tests.world import CAST, World

LEFT = Explanation(Reason.DISCORD_SAID, "Unknown Member (10007)")


@pytest.fixture
def tonight(world: World) -> Tonight:
    """Discord let Goran in, and won't take him out; Erik it doesn't let in."""
    arranged_room = arranged(world)
    with world.session() as session:
        refused = {CAST["erik"]: LEFT.as_json(), CAST["goran"]: LEFT.as_json(), "9": LEFT.as_json()}
        thread = RoomThread(
            session_id=session.scalars(select(Room.id)).one(),
            thread_id="700",
            members=[CAST["alice"], CAST["goran"]],
            error=Explanation(Reason.DISCORD_NOT_REACHED, "ConnectError"),
            refused=refused,
        )
        session.add(thread)
    return arranged_room


def test_it_says_what_is_wrong_and_with_whom(tonight: Tonight, browse: Browse) -> None:
    words = browse("alice").page(PAGE).words
    assert "The thread on Discord: Discord can’t be reached (ConnectError); " in words
    assert "; Erik can’t get in (Discord: Unknown Member (10007));" in words
    assert "; Goran can still read it (Discord: Unknown Member (10007))." in words
    assert "; somebody can’t get in (Discord: Unknown Member (10007));" in words
    assert "Nothing here waits for it." in words


def test_who_manages_nothing_is_not_bothered(tonight: Tonight, browse: Browse) -> None:
    assert "The thread on Discord" not in browse("goran").page(PAGE).words


def test_an_erased_account_is_not_named_there_any_more(tonight: Tonight, world: World) -> None:
    with world.session() as session:
        planning.erase_player(session, world.players["erik"], CAST["erik"])
    with world.session() as session:
        assert set(session.scalars(select(RoomThread)).one().refused) == {CAST["goran"], "9"}
