"""What Discord takes at most is kept in every language: 2,000 characters of a post, 80 of a button, 100 of a name."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from slomix import i18n
from slomix.campaigns.notices.summary import SummaryFacts
from slomix.campaigns.notices.summary import text as summary_text
from slomix.contacts.kinds import KIND_TEXTS
from slomix.deliveries.formatting import PlainStyle
from slomix.evening import tonight
from slomix.evening.tonight import People, Tonight, headline
from slomix.i18n import _
from tests.moments import LJUBLJANA, TODAY, at

LANGUAGES = pytest.mark.parametrize("language", sorted(i18n.known_languages()))
# Escapes double a name, and some letters count twice.
HOSTILE = ["_*~`|" * 7, "\N{GRINNING FACE}" * 32, *(f"player {number}" for number in range(60))]


@pytest.fixture(autouse=True)
def spoken(request: pytest.FixtureRequest) -> Iterator[None]:
    with i18n.speaking(request.getfixturevalue("language")):
        yield


def length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@LANGUAGES
def test_a_post_of_many_fits(language: str) -> None:
    del language
    people = People(62, HOSTILE)
    evening = Tonight(
        TODAY,
        people=dict.fromkeys(tonight.LISTED, people),
        threshold=6,
        start_at=at(21),
        expected_at=at(21),
        late=people,
        late_until=at(21, 15),
        in_voice=people,
        teams=[("x" * 48, people), ("y" * 48, people)],
        turnout="x" * 100,
        unsettled_until=None,
    )
    facts = SummaryFacts(62, 62, at(21), HOSTILE, 62, 62, presence_known=True, with_names=True, late=HOSTILE)
    for text in (
        tonight.text(evening, now=at(20)),
        tonight.text(evening, now=at(22)),
        tonight.closing_text(evening),
        summary_text(facts),
    ):
        assert 50 < length(text) <= 2000


@LANGUAGES
def test_numbers_are_spoken_right(language: str) -> None:
    said = {number: headline(number, 6).partition(": ")[2] for number in (1, 2, 3, 4, 5, 6, 101)}
    wanted = {
        "en": {
            1: "1 of 6 looking, 5 more to go.",
            2: "2 of 6 looking, 4 more to go.",
            3: "3 of 6 looking, 3 more to go.",
            4: "4 of 6 looking, 2 more to go.",
            5: "5 of 6 looking, 1 more to go.",
            6: "6 players are looking. Game on!",
            101: "101 players are looking. Game on!",
        },
        "sl": {
            1: "za igro 1 od 6, manjka jih še 5.",
            2: "za igro 2 od 6, manjkajo še 4.",
            3: "za igro 3 od 6, manjkajo še 3.",
            4: "za igro 4 od 6, manjkata še 2.",
            5: "za igro 5 od 6, manjka še 1.",
            6: "6 igralcev išče igro. Igramo!",
            101: "101 igralec išče igro. Igramo!",
        },
    }
    assert said == wanted.get(language, said)


@LANGUAGES
def test_minutes_are_spoken_right(language: str) -> None:
    style = PlainStyle(LJUBLJANA, at(20))
    said = [style.countdown(at(20) + timedelta(minutes=minutes)) for minutes in (1, 2, 3, 5)]
    wanted = {
        "en": ["in a minute", "in 2 minutes", "in 3 minutes", "in 5 minutes"],
        "sl": ["čez 1 minuto", "čez 2 minuti", "čez 3 minute", "čez 5 minut"],
    }
    assert said == wanted.get(language, said)


@LANGUAGES
def test_what_a_kind_is_called_fits_on_its_button_and_says_how_it_is_stopped(language: str) -> None:
    del language
    for kind in KIND_TEXTS.values():
        assert length(_("Mute this kind: {kind}").format(kind=kind.name)) <= 80
        assert "{link}" in kind.why
