"""`slomix export-systemd`: the real Procfile as units that systemd takes, written once and never over a change."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from slomix.cli import main, units
from slomix.cli.formation import instances
from slomix.cli.units import UnitHost
from slomix.config.settings import SettingsError
from slomix.database.session import ROOT
from slomix.processes.common import FINISH_WITHIN
from slomix.supervisor.runner import Runner, parse_procfile

FORMATION = "web=2,worker=2,scheduler=2"
NAMES = {
    "slomix.target",
    "slomix-release.service",
    *(f"slomix-{kind}-{number}.service" for kind in ("web", "worker", "scheduler") for number in (1, 2)),
    "slomix-discord-1.service",
    "slomix-inbox-1.service",
}
NIGHTLY = {"slomix-backup.service", "slomix-backup.timer"}


def export(directory: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["export-systemd", str(directory), *arguments])


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "SLOMIX_FORMATION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    done = export(tmp_path / "units", "--formation", FORMATION)
    assert done.exit_code == 0, done.output
    return tmp_path / "units"


def value(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def test_each_process_of_the_procfile_has_a_unit_and_the_target_wants_them_all(written: Path) -> None:
    assert {path.name for path in written.iterdir()} == NAMES | NIGHTLY
    assert set(value(written / "slomix.target", "Wants")) == NAMES - {"slomix.target"} | {"slomix-backup.timer"}
    for kind, command in parse_procfile((ROOT / "Procfile").read_text()).items():
        unit = written / (f"slomix-{kind}.service" if kind == "release" else f"slomix-{kind}-1.service")
        [started] = value(unit, "ExecStart")
        assert started.endswith(command.split(maxsplit=1)[1]), started


def test_the_web_processes_have_a_port_each_that_no_file_can_take_away(written: Path) -> None:
    for number, port in ((1, 7000), (2, 7001)):
        [started] = value(written / f"slomix-web-{number}.service", "ExecStart")
        assert started.startswith(
            f"/usr/bin/env SLOMIX_ENV=production SLOMIX_PROCESS=web.{port - 7000 + 1} PORT={port} "
        )


def test_migrations_come_first_and_everything_is_started_again(written: Path) -> None:
    for name in NAMES - {"slomix.target", "slomix-release.service"}:
        assert "slomix-release.service" in value(written / name, "After")[0].split()
        assert value(written / name, "Restart") == ["always"]
        assert value(written / name, "StartLimitIntervalSec") == ["0"], "or it gives up after five quick deaths"
        assert value(written / name, "PartOf") == ["slomix.target"]


def test_who_is_told_to_stop_has_the_time_that_it_takes(written: Path) -> None:
    assert Runner.grace > FINISH_WITHIN + 5
    for name in NAMES - {"slomix.target", "slomix-release.service"}:
        assert float(value(written / name, "TimeoutStopSec")[0]) >= Runner.grace


def test_units_hold_no_secret_and_nothing_may_be_written(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSION_SECRET", "a-secret-that-stands-in-no-unit-whatsoever")
    assert export(written, "--formation", FORMATION).exit_code == 0
    for name in NAMES - {"slomix.target"}:
        text = (written / name).read_text()
        assert "a-secret-that-stands" not in text
        assert value(written / name, "EnvironmentFile")[0] == "/etc/slomix/slomix.env"
        assert value(written / name, "NoNewPrivileges") == ["yes"]
        assert value(written / name, "ProtectSystem") == ["strict"]
        assert "ReadWritePaths" not in text


def test_a_backup_is_made_every_night_and_may_write_in_its_folder_alone(written: Path) -> None:
    unit = written / "slomix-backup.service"
    assert value(unit, "ExecStart")[0].endswith("/slomix backup --keep 14 /var/backups/slomix")
    assert value(unit, "ReadWritePaths") == ["/var/backups/slomix"]
    assert value(unit, "EnvironmentFile") == ["/etc/slomix/slomix.env", "-/etc/slomix/release.env"]
    assert (value(unit, "ProtectSystem"), value(unit, "CapabilityBoundingSet")) == (["strict"], [""])
    assert value(written / "slomix-backup.timer", "Persistent") == ["yes"]


def test_what_would_change_is_shown_and_nothing_is_written(written: Path) -> None:
    same = export(written, "--formation", FORMATION, "--diff")
    assert (same.exit_code, same.output) == (0, "Nothing would change.\n")
    changed = written / "slomix-worker-1.service"
    changed.write_text(changed.read_text().replace("RestartSec=2", "RestartSec=9"))
    shown = export(written, "--formation", FORMATION, "--diff")
    assert shown.exit_code == 1
    lines = shown.output.splitlines()
    assert {"-RestartSec=9", "+RestartSec=2"} <= set(lines)
    assert "RestartSec=9" in changed.read_text()


def test_the_same_again_changes_nothing_and_a_change_is_kept_until_it_is_forced(written: Path) -> None:
    before = {path.name: path.read_text() for path in written.iterdir()}
    assert export(written, "--formation", FORMATION).exit_code == 0
    assert {path.name: path.read_text() for path in written.iterdir()} == before

    changed = written / "slomix-worker-1.service"
    changed.write_text("mine")
    (written / "slomix.target").unlink()
    refused = export(written, "--formation", FORMATION)
    assert refused.exit_code == 1
    assert "slomix-worker-1.service" in refused.output
    assert "--force" in refused.output
    assert changed.read_text() == "mine"
    assert not (written / "slomix.target").exists(), "all or nothing"

    assert export(written, "--formation", FORMATION, "--force").exit_code == 0
    assert {path.name: path.read_text() for path in written.iterdir()} == before


def test_what_a_smaller_formation_no_longer_has_is_named(written: Path) -> None:
    done = export(written, "--force")
    assert "slomix-web-2.service is of an earlier formation" in done.output
    assert "slomix-web-1.service is of" not in done.output


def test_formation_and_port_are_those_that_are_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "7600 # behind nginx")
    monkeypatch.setenv("SLOMIX_FORMATION", "web=2")
    assert export(tmp_path / "units").exit_code == 0
    assert "PORT=7601 " in (tmp_path / "units" / "slomix-web-2.service").read_text()


@pytest.mark.parametrize("port", ["seven", "0", "70000", "²"])
def test_a_port_that_is_none_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    assert export(tmp_path / "units").exit_code == 2
    assert not (tmp_path / "units").exists()


@pytest.mark.parametrize("wanted", ["everything=2", "web"])
def test_nonsense_is_a_sentence(tmp_path: Path, wanted: str) -> None:
    done = export(tmp_path / "units", "--formation", wanted)
    assert done.exit_code == 2
    assert done.output.startswith("SLOMIX_FORMATION: ")
    assert not (tmp_path / "units").exists()


def test_a_line_that_needs_a_shell_is_refused(tmp_path: Path) -> None:
    host = UnitHost(ROOT, Path(sys.executable).parent, "slomix", Path("/etc/slomix/slomix.env"))
    with pytest.raises(SettingsError, match="needs a shell"):
        units.unit_texts(host, None, instances({"web": "python -m http.server $PORT"}, "", port=7000))


@pytest.mark.parametrize(
    ("root", "home"), [("/opt/slomix", "yes"), ("/home/alice/slomix", "read-only"), ("/root/slomix", "read-only")]
)
def test_who_lives_in_a_home_may_read_there(tmp_path: Path, root: str, home: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("gunicorn", "python", "slomix"):
        (programs / name).symlink_to("/bin/true")
    host = UnitHost(Path(root), programs, "slomix", Path("/etc/slomix/slomix.env"))
    made = units.unit_texts(host, None, instances({"web": "gunicorn a"}, "", port=7000))
    assert f"ProtectHome={home}\n" in made["slomix-web-1.service"]


def takes_them(directory: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run([verify, "verify", *map(str, directory.iterdir())], capture_output=True, text=True)
    # What the machine lacks is not what the units get wrong.
    assert done.returncode == 0, done.stderr
    assert "slomix" not in done.stderr, done.stderr


def test_systemd_takes_them(written: Path) -> None:
    takes_them(written)


def test_systemd_takes_paths_with_spaces_and_signs(tmp_path: Path) -> None:
    folder = tmp_path / "my 100% slomix"
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name in ("gunicorn", "python", "slomix"):
        (programs / name).symlink_to("/bin/true")
    commands = parse_procfile((ROOT / "Procfile").read_text())
    release = commands.pop("release")
    host = UnitHost(folder, programs, "root", folder / "the settings.env")
    (tmp_path / "units").mkdir()
    for name, text in units.unit_texts(host, release, instances(commands, "", port=7000)).items():
        (tmp_path / "units" / name).write_text(text)
    takes_them(tmp_path / "units")
    web = (tmp_path / "units" / "slomix-web-1.service").read_text()
    assert f'"{folder}/bin/gunicorn" --config'.replace("%", "%%") in web
    assert f"WorkingDirectory={folder}\n".replace("%", "%%") in web
