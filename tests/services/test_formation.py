"""How many of each process: named, given ports, and refused with a sentence where it makes no sense."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from slomix.cli import formation, main
from slomix.cli.formation import instances
from slomix.config.settings import SettingsError
from slomix.database.session import ROOT

COMMANDS = {"web": "gunicorn", "worker": "python workers/worker.py", "inbox": "python workers/inbox.py"}


def names(wanted: str) -> list[str]:
    return [one.name for one in instances(COMMANDS, wanted, port=7000)]


def test_one_of_each_has_the_plain_names_and_the_port() -> None:
    running = instances(COMMANDS, "", port=7000)
    assert [one.name for one in running] == ["web", "worker", "inbox"]
    assert formation.web_ports(running) == [7000]


def test_several_of_a_kind_are_numbered_and_each_web_process_has_the_next_port() -> None:
    running = instances(COMMANDS, " web=2, worker = 3,", port=7010)
    assert [one.name for one in running] == ["web.1", "web.2", "worker.1", "worker.2", "worker.3", "inbox"]
    assert formation.web_ports(running) == [7010, 7011]
    assert [dict(one.environment) for one in running[1:3]] == [
        {"SLOMIX_PROCESS": "web.2", "PORT": "7011"},
        {"SLOMIX_PROCESS": "worker.1"},
    ]
    assert {one.command for one in running if one.kind == "worker"} == {"python workers/worker.py"}


def test_none_of_a_kind_is_a_formation_too() -> None:
    assert names("web=0,inbox=0") == ["worker"]


def test_small_puts_all_but_the_web_in_one_process_however_much_else_is_named() -> None:
    procfile = formation.commands_of(ROOT / "Procfile").processes
    running = instances(procfile, "small", port=7000)
    assert [(one.name, one.command) for one in running if one.kind != "web"] == [
        ("background", "python workers/background.py")
    ]
    assert [one.name for one in instances(procfile, " small , web=2,background=2", port=7000)] == [
        *("web.1", "web.2", "background.1", "background.2")
    ]
    beside = instances({**procfile, "simulator": "python -m simulator"}, "small", port=7000)
    assert [one.name for one in beside] == ["web", "simulator", "background"]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("small,worker=2", "there is no process 'worker', only web, background"),
        ("web=2,small", "'small' is not a name and a number"),
        ("wroker=2", "there is no process 'wroker', only web, worker, inbox"),
        ("release=1", "there is no process 'release'"),
        ("web", "'web' is not a name and a number"),
        ("web=two", "'web=two' is not a name and a number"),
        ("web=-1", "'web=-1' is not a name and a number"),
        ("web=2 worker=3", "is not a name and a number"),
        ("web=1,web=2", "web is named twice"),
        ("worker=51", "worker=51 is more than 50"),
        ("web=²", "is not a name and a number"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(wanted: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match="SLOMIX_FORMATION") as refusal:
        names(wanted)
    assert sentence in str(refusal.value)


def test_more_web_processes_than_ports_are_refused() -> None:
    with pytest.raises(SettingsError, match="PORT: 65534 leaves no ports for 3"):
        instances(COMMANDS, "web=3", port=65534)


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["--formation", "web=2"], {}, "one web process"),
        ([], {"SLOMIX_FORMATION": "simulator=2"}, "one simulator"),
        ([], {"SLOMIX_FORMATION": "everything=2"}, "there is no process 'everything'"),
        (["--formation", "worker=0x2"], {"SLOMIX_FORMATION": "worker=2"}, "'worker=0x2' is not a name and a number"),
    ],
)
def test_up_refuses_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], environment: dict[str, str], sentence: str
) -> None:
    for name in ("SLOMIX_FORMATION", "SLOMIX_CLOCK", "DISCORD_BOT_TOKEN", "DISCORD_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(ROOT)
    for name, value in {"SLOMIX_ENV": "development", "PORT": "7689", **environment}.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(main, ["up", *arguments])
    assert done.exit_code == 2
    assert sentence in done.output
    assert not Path(ROOT, "var", "7689").exists()
