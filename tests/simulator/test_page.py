"""The simulator's page works without JavaScript and shows messages as people would read them."""

import pytest

from slomix.simulator.people import TEXT_CHANNEL
from slomix.simulator.rendering import rich
from tests.simulators import CAST, Simulator


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("at <t:1774728000:t>", ">21:00</time>"),
        ("at <t:1774728000>", ">28 March 2026, 21:00</time>"),
        ("**at <t:1774728000:t>, <i>**", "21:00</time>, &lt;i&gt;</b>"),
        ("<t:9999999999999:t>", "&lt;t:9999999999999:t&gt;"),
        ("(see https://slomix.example/a?b=1&c=2).", 'href="https://slomix.example/a?b=1&amp;c=2"'),
        ("<https://slomix.example/x>", ">https://slomix.example/x</a>"),
        ('https://x.example/"onmouseover="alert(1)', "&#34;onmouseover=&#34;"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        (f"<@{CAST['Alice'].id}> come", "<b>@Alice</b> come"),
        ("<@1>", "&lt;@1&gt;"),
        (f"in <#{TEXT_CHANNEL}>", "in <b>#game-night</b>"),
    ],
)
def test_a_text_is_shown_as_discord_would_and_never_as_html(text: str, html: str) -> None:
    assert html in rich(text)


def test_the_sentence_goes_on_after_a_link() -> None:
    assert rich("(see https://a.example/b).").endswith("</a>).")
    assert 'rel="noopener noreferrer"' in rich("https://a.example/b")


def test_the_page_says_what_it_is_and_shows_what_was_written(simulator: Simulator) -> None:
    with simulator.bot() as bot:
        bot.post(f"/channels/{CAST['Jana'].dm_channel}/messages", json={"content": "<b>Tonight</b>\n<t:1774728000:t>"})
    page = simulator.client().get("/").text
    assert "This is not Discord" in page
    assert "&lt;b&gt;Tonight&lt;/b&gt;" in page
    assert f"http://127.0.0.1:{simulator.port}" in page


def test_its_forms_come_back_to_the_page(simulator: Simulator) -> None:
    forms = [
        ("/page/voice", {"user_id": CAST["Alice"].id, "voice_channel": "default"}),
        ("/page/clock", {"now": "2026-03-28 20:00", "speed": "0"}),
        ("/page/clock", {"at": "21:00:30"}),
        ("/page/clock", {"step": "60"}),
        ("/page/clock", {"speed": "20x"}),
        ("/page/faults", {"provider": "discord", "fault": "status", "code": "500", "rate": "1", "seconds": "2"}),
    ]
    with simulator.client() as browser:
        for path, form in forms:
            answer = browser.post(path, data=form)
            assert answer.status_code == 303, (path, form, answer.text)
        assert browser.get("/control/voice").json()[0]["name"] == "Alice"
        clock = browser.get("/control/clock").json()
        assert (clock["now"][:16], clock["speed"]) == ("2026-03-28T20:01", 20)
        assert browser.get("/control/faults").json() == [
            {"provider": "discord", "fault": "status", "code": 500, "rate": 1.0}
        ]
        assert "code 500" in browser.get("/").text
        browser.post("/page/faults/clear")
        assert browser.get("/control/faults").json() == []


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/page/voice", {"user_id": "1"}),
        ("/page/voice", {"user_id": CAST["Alice"].id, "voice_channel": "kitchen"}),
        ("/page/clock", {"now": "soon"}),
        ("/page/clock", {"speed": "fast"}),
        ("/page/clock", {}),
        ("/page/clock", {"at": "late"}),
        ("/page/clock", {"step": "1e99"}),
        ("/page/faults", {"provider": "discord", "fault": "latency", "seconds": "nan"}),
    ],
)
def test_a_form_that_makes_no_sense_is_answered_with_a_sentence(
    simulator: Simulator, path: str, form: dict[str, str]
) -> None:
    answer = simulator.client().post(path, data=form)
    assert answer.status_code == 422
    assert "That did not work" in answer.text


def test_script_and_style_come_from_here(simulator: Simulator) -> None:
    with simulator.client() as browser:
        assert browser.get("/static/live.js").status_code == 200
        assert browser.get("/static/style.css").status_code == 200
