"""The one switch: admins turn it, everybody who waits for messages is told."""

import pytest

from slomix.availability.rules import Status
from slomix.deliveries import pausing
from tests.moments import at
from tests.steps import call
from tests.web.conftest import Browse, Browser, lands, nothing_stored
from tests.world import World

SENTENCE = "Sending has been paused since 20:31. Nothing goes out until an admin resumes it."


@pytest.fixture
def campaign(world: World) -> str:
    world.says("erik", Status.LOOKING)
    return str(call(world)[0])


def pause(world: World) -> None:
    world.clock.move_to(at(20, 31))
    with world.session() as session:
        pausing.pause(session, by=str(world.users["dora"]), now=world.clock.now())


def is_paused(world: World) -> bool:
    with world.session() as session:
        return pausing.current_pause(session) is not None


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("charlie", 403), ("alice", 403), ("bob", 403)])
@pytest.mark.parametrize("switch", ["pause", "resume"])
def test_only_admins_turn_it(world: World, browse: Browse, who: str | None, status: int, switch: str) -> None:
    browser = browse(who)
    if switch == "resume":
        pause(world)
    with nothing_stored(world):
        assert browser.get(f"/admin/sending/{switch}").status_code == status
        assert browser.post(f"/admin/sending/{switch}").status_code == status


def test_it_is_turned_after_a_page_that_says_what_will_happen_and_back_again(world: World, dora: Browser) -> None:
    world.clock.move_to(at(20, 31))
    assert "Messages go out." in dora.page("/admin").words
    with nothing_stored(world):
        page = dora.page("/admin/sending/pause").by_id("main")
        assert "No message leaves in any app" in page.words
    [form] = page.all("form")
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    assert lands(dora.client.post(form.attributes["action"], data=fields)) == "/admin"
    assert is_paused(world)
    overview = dora.page("/admin")
    assert "Sending paused." in overview.by_id("flash").words
    assert "Paused since 20:31, by Dora" in overview.words
    [form] = dora.page("/admin/sending/resume").by_id("main").all("form")
    assert form.attributes["action"] == "/admin/sending/resume"
    assert lands(dora.post("/admin/sending/resume")) == "/admin"
    assert not is_paused(world)
    assert "Messages go out again." in dora.page("/admin").by_id("flash").words


def test_turned_twice_the_first_stays_and_the_second_is_told(world: World, dora: Browser) -> None:
    pause(world)
    world.clock.move_to(at(20, 40))
    assert lands(dora.post("/admin/sending/pause")) == "/admin"
    overview = dora.page("/admin")
    assert "paused already" in overview.by_id("flash").words
    assert "Paused since 20:31" in overview.words
    dora.post("/admin/sending/resume")
    dora.post("/admin/sending/resume")
    assert "Sending wasn’t paused." in dora.page("/admin").by_id("flash").words


def test_who_was_overtaken_is_offered_what_is_left(world: World, dora: Browser) -> None:
    pause(world)
    assert "Resume sending" in dora.page("/admin/sending/pause").by_id("main").buttons


def test_an_operators_pause_names_the_command_line(world: World, dora: Browser) -> None:
    with world.session() as session:
        pausing.pause(session, by="command line", now=at(20, 31))
    assert "Paused since 20:31, by command line." in dora.page("/admin").words


@pytest.mark.parametrize("who", [None, "charlie", "alice", "bob", "dora"])
@pytest.mark.parametrize("path", ["/", "/board", "/calendar"])
def test_everybody_who_sees_the_card_sees_it(
    world: World, campaign: str, browse: Browse, who: str | None, path: str
) -> None:
    browser = browse(who)
    assert "paused" not in browser.page(path).by_id("campaign").words
    pause(world)
    assert SENTENCE in browser.page(path).by_id("campaign").words


def test_a_promoter_sees_it_on_a_campaigns_page_before_they_call_and_in_the_preview(
    world: World, campaign: str, bob: Browser
) -> None:
    pause(world)
    assert SENTENCE in bob.page(f"/campaigns/{campaign}").by_id("campaign").words
    assert SENTENCE in bob.page("/promote").by_id("preview").words
    assert SENTENCE in bob.page("/promote/preview").by_id("preview").words
    bob.post(f"/campaigns/{campaign}/cancel")
    assert SENTENCE in bob.page("/").by_id("campaign").words
    assert "Promote" in bob.page("/").by_id("campaign").buttons


def test_before_anybody_called_promoters_see_it_too(world: World, browse: Browse) -> None:
    pause(world)
    assert SENTENCE in browse("bob").page("/").by_id("campaign").words


def test_since_another_day_is_told_with_the_day(world: World, campaign: str, alice: Browser) -> None:
    pause(world)
    with world.session() as session:
        found = pausing.current_pause(session)
        assert found is not None
        found.since = at(20, 31) - (at(20) - at(20, day=at(20).date().replace(day=19)))
    assert "paused since Thu 20:31" in alice.page("/").by_id("campaign").words


def test_the_answer_to_a_button_on_the_card_says_it_too(world: World, campaign: str, bob: Browser) -> None:
    pause(world)
    assert SENTENCE in bob.post(f"/campaigns/{campaign}/cancel", htmx=True).text
