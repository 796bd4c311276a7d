"""The benchmarks' own arithmetic and manners; what they measure is not tested here, as it takes a quiet machine."""

import asyncio
import json
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import page as pages
from bench.figures import BenchmarkResult, Figure, percentile
from bench.page import Page, browser, looking_in

BOARD = '<div data-title="[{count}/6] Slomix"><section id="queue"><ol>{rows}</ol></section></div>'
ROW = '<li><span class="name">alice</span></li>'


def result(name: str, *, kept: bool) -> BenchmarkResult:
    return BenchmarkResult(
        name, "it is quick", kept, "3 s", "1 s", [Figure("time", 3.0, "s", 1.5), Figure("size", 2.0, "MiB")]
    )


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([1.0], 50, 1.0), ([3.0, 1.0, 2.0], 50, 2.0), (list(range(1, 201)), 95, 190), (list(range(1, 201)), 100, 200)],
)
def test_a_percentile_is_one_of_the_values(values: list[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == expected


def test_a_page_has_seen_a_change_when_its_title_and_its_queue_say_so() -> None:
    assert looking_in(BOARD.format(count=2, rows=ROW * 2), with_names=True) == 2
    assert looking_in(BOARD.format(count=2, rows=ROW), with_names=True) is None
    assert looking_in(BOARD.format(count=2, rows=""), with_names=False) == 2
    assert looking_in("<p>Something broke on our side</p>", with_names=False) is None


def test_many_messages_during_a_fetch_lead_to_one_more_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "JITTER", 0)

    async def hear_five_times() -> int:
        page, fetches, answer = Page(browser("http://127.0.0.1:1", {}), is_linked=False), 0, asyncio.Event()

        async def fetch() -> None:
            nonlocal fetches
            fetches += 1
            await answer.wait()

        monkeypatch.setattr(page, "_fetch", fetch)
        for _ in range(5):
            page.refresh()
        while not fetches:
            await asyncio.sleep(0)
        page.refresh()
        answer.set()
        await asyncio.gather(*page._tasks)
        await page.close()
        return fetches

    assert asyncio.run(hear_five_times()) == 2


def test_a_broken_promise_is_the_exit_status_and_all_figures_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "ROOT", tmp_path)
    ours = {"quick": lambda _say: result("quick", kept=True), "slow": lambda _say: result("slow", kept=False)}
    monkeypatch.setattr(command, "BENCHMARKS", ours)
    assert command.main(["quick"]) == 0
    assert command.main([]) == 1
    assert "BROKEN  it is quick: 3 s" in capsys.readouterr().out
    kept = json.loads((tmp_path / "bench.json").read_text())
    assert [one["kept"] for one in kept["benchmarks"]] == [True, False]
    assert kept["benchmarks"][0]["figures"] == [
        {"name": "time", "value": 3.0, "unit": "s", "floor": 1.5, "ratio": 2.0},
        {"name": "size", "value": 2.0, "unit": "MiB", "floor": None, "ratio": None},
    ]
    assert kept["cores"] >= 1


def test_a_benchmark_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["speed"]) == 2
    assert "no benchmark speed" in capsys.readouterr().err
