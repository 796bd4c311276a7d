"""The simulator's page works without JavaScript and shows messages as people would read them."""

import pytest

from slomix.dev.simulator.people import SIGNAL_SENDER, TELEGRAM_BOT_NAME, TEXT_CHANNEL
from slomix.dev.simulator.rendering import plain, rich
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
        (r"Luka\_x\_, \\ and \<b\>", "Luka_x_, \\ and &lt;b&gt;"),
        (r"\*\*Ivan\*\*", "**Ivan**"),
        (r"**Bob\_y \* Co**", "<b>Bob_y * Co</b>"),
        (r"a\b", r"a\b"),
        ("https://slomix.example/a_b\\_c", ">https://slomix.example/a_b\\_c</a>"),
    ],
)
def test_a_text_is_shown_as_discord_would_and_never_as_html(text: str, html: str) -> None:
    assert html in rich(text)


def test_the_sentence_goes_on_after_a_link() -> None:
    assert rich("(see https://a.example/b).").endswith("</a>).")
    assert 'rel="noopener noreferrer"' in rich("https://a.example/b")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (r"**a\_b** <t:1774728000:t> <i>", r"**a\_b** &lt;t:1774728000:t&gt; &lt;i&gt;"),
        ("see https://a.example/b_c.", ">https://a.example/b_c</a>."),
        ("<https://a.example>", "&lt;<a "),
    ],
)
def test_elsewhere_a_text_is_shown_as_it_was_written(text: str, html: str) -> None:
    assert html in plain(text)


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
            {"provider": "discord", "fault": "status", "code": 500, "rate": 1.0, "html": False}
        ]
        assert "code 500" in browser.get("/").text
        closing = {"provider": "discord", "fault": "close_at_identify", "close_code": "4014", "times": ""}
        browser.post("/page/faults", data=closing)
        assert browser.get("/control/faults").json()[-1]["close_code"] == 4014
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
        ("/page/faults", {"provider": "discord", "fault": "challenge"}),
        ("/page/telegram", {"user_id": "1", "text": "Hi"}),
        ("/page/telegram", {"user_id": CAST["Alice"].id, "text": " "}),
        ("/page/signal", {"user_id": CAST["Alice"].id}),
    ],
)
def test_a_form_that_makes_no_sense_is_answered_with_a_sentence(
    simulator: Simulator, path: str, form: dict[str, str]
) -> None:
    answer = simulator.client().post(path, data=form)
    assert answer.status_code == 422
    assert "That did not work" in answer.text


@pytest.mark.parametrize("provider", ["telegram", "signal"])
def test_one_can_write_to_the_bot_and_read_what_it_answers(simulator: Simulator, provider: str) -> None:
    jana = CAST["Jana"]
    with simulator.client() as browser:
        sent = browser.post(f"/page/{provider}", data={"user_id": jana.id, "text": "/start <ABC>"})
        assert sent.headers["Location"] == f"/?as={jana.id}#{provider}"
        browser.post(f"/page/{provider}", data={"user_id": jana.id, "text": "over here", "group": "1"})
    with simulator.telegram() as telegram, simulator.signal() as signal:
        if provider == "telegram":
            telegram.post("/sendMessage", json={"chat_id": jana.telegram_chat_id, "text": "Welcome & enjoy"})
        else:
            letter = {"message": "Welcome & enjoy", "number": SIGNAL_SENDER, "recipients": [jana.signal_number]}
            signal.post("/v2/send", json=letter)
    page = simulator.client().get("/", params={"as": jana.id}).text
    [own] = [part for part in page.split("<section") if f'id="{provider}"' in part]
    parts = ["/start &lt;ABC&gt;", "Jana, in a group", "over here", ">the bot<", "Welcome &amp; enjoy"]
    places = [own.index(part) for part in parts]
    assert places == sorted(places)
    assert f'<option value="{jana.id}" selected>' in own
    assert "Welcome &amp; enjoy" not in page.replace(own, ""), "it stands with its provider only"


def test_a_link_to_the_bot_leads_to_a_start_that_only_has_to_be_sent(simulator: Simulator) -> None:
    with simulator.client() as browser:
        there = browser.get(f"/telegram/{TELEGRAM_BOT_NAME}", params={"start": 'A"B'}).headers["Location"]
        assert there == "/?start=A%22B#telegram"
        assert 'value="/start A&#34;B"' in browser.get(there).text


def test_forgetting_what_was_written_keeps_the_chats_that_were_begun(simulator: Simulator) -> None:
    """As blocking is the only way out of one; who is linked stays in reach."""
    jana = CAST["Jana"]
    with simulator.client() as browser, simulator.telegram() as bot:
        browser.post("/page/telegram", data={"user_id": jana.id, "text": "/start"})
        browser.post("/page/reset")
        assert "/start</p>" not in browser.get("/").text
        assert bot.post("/getUpdates").json()["result"] == []
        assert bot.post("/sendMessage", json={"chat_id": jana.telegram_chat_id, "text": "Hi"}).status_code == 200


def test_script_and_style_come_from_here(simulator: Simulator) -> None:
    with simulator.client() as browser:
        assert browser.get("/static/live.js").status_code == 200
        assert browser.get("/static/style.css").status_code == 200
