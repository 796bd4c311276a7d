"""Player profiles: found, and imported from a file that is looked at first; the same file at the command line."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from werkzeug.test import TestResponse

from slomix.accounts import service as accounts
from slomix.accounts.models import Player
from slomix.accounts.rules import LinkAction
from slomix.cli import data
from tests.web.conftest import Browser, is_page, lands, nothing_stored
from tests.web.reading import read
from tests.web.steps import log_of
from tests.world import CAST, World

GOOD = 'guid,name,aliases\nguid-alice,^2Alicia,Ali|alice_old\nnew-1,Žan,\nnew-2,"Bad, Boy",Boy\n'
BAD = [
    (b"", "guid, name"),
    (b"name,aliases\nx,y\n", "guid is missing"),
    (b"guid,name\n", "no profile"),
    (b"guid,name\nn1,One\n,Two\n", "Line 3: guid and name"),
    (b"guid,name\nn1,One\nn2\n", "Line 3: guid and name"),
    (b"guid,name\nn1,One\n\nn1,Two\n", "Line 4: the guid n1 is there twice"),
    (b"guid,name\nn1,Bad, Boy\n", "Line 2 has more fields"),
    (b"guid,name\nn1,O\x00ne\n", "Line 2: the name has a character"),
    (b'guid,name\nn1,"One\nTwo"\n', "Line 3: the name has a character"),
    (b'guid,name\nn1,"One\nn2,Two\n', "not CSV"),
    (b"guid,name,aliases,rating\nn1,One,,1\nn2,Two,,strong\n", "Line 3: the rating must be a number"),
    *[
        (f"guid,name,rating\nn1,One,{rating}\n".encode(), "Line 2: the rating must be a number")
        for rating in ("nan", "-inf", "Infinity", "1e999", "1e10", '"1,5"', "1_0", "0x1", "٣", "1 2", ".", "--1", "1e")
    ],
    (b"guid,name\nn1," + b"x" * 140_000 + b"\n", "not CSV"),
    (b"guid,name\nn1," + b"x" * 65 + b"\n", "Line 2: the name has 1 to 64 characters; this one has 65"),
    ("guid,name\nn1,One\nn2,\u3164\u200b\n".encode(), "Line 3: the name needs a letter or a digit"),
    (("guid,name,aliases\nn1,One,Uno|Z" + "\u0301" * 5 + "\n").encode(), "Line 2: an alias may have at most 4"),
    (b"guid,name\nABCDEF,One\nabcdef,Two\n", "Line 3: the guid abcdef is there twice"),
    (b"guid,name\n" + b"a" * 65 + b",One\n", "Line 2: a guid has at most 64 characters"),
    (b"guid:name\nn1:One\n", "commas or semicolons"),
    ("guid,name\nn1,Žan\n".encode("cp1250"), "not UTF-8"),
    ("guid,name\nn1,One\n".encode("utf-16"), "not UTF-8"),
]


def upload(browser: Browser, content: bytes, **more: Any) -> TestResponse:
    form = {"csrf_token": browser.csrf(), "file": (BytesIO(content), "players.csv"), **more}
    return browser.client.post("/admin/players/import", data=form, content_type="multipart/form-data")


def confirm(browser: Browser, page: TestResponse) -> TestResponse:
    """Press Import on a preview, as a browser does."""
    assert page.status_code == 200, page.text
    [text] = [one.attributes["value"] for one in read(page.text).all("input") if one.attributes.get("name") == "text"]
    form = {"csrf_token": browser.csrf(), "text": text.replace("\n", "\r\n")}
    return browser.client.post("/admin/players/import/confirm", data=form, content_type="multipart/form-data")


def stored(world: World) -> dict[str, tuple[str, list[str]]]:
    with world.session() as session:
        return {one.guid: (one.name, one.aliases) for one in session.scalars(select(Player))}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_import_is_looked_at_then_stored_whole_and_logged(
    world: World, dora: Browser, encoding: str, line_end: str
) -> None:
    with nothing_stored(world):
        page = upload(dora, GOOD.replace("\n", line_end).encode(encoding))
    words = read(page.text).by_id("main").words
    assert "2 new profiles will be added. 1 known profile will be updated." in words
    assert "Bad, Boy" in words
    assert lands(confirm(dora, page)) == "/admin/players"
    assert "Imported: 2 added, 1 updated." in dora.page("/admin/players").by_id("flash").words
    assert {guid: stored(world)[guid] for guid in ("guid-alice", "new-1", "new-2", "guid-bob")} == {
        "guid-alice": ("^2Alicia", ["Ali", "alice_old"]),
        "new-1": ("Žan", []),
        "new-2": ("Bad, Boy", ["Boy"]),
        "guid-bob": ("^1Bob", ["bob_old"]),
    }
    action, actor, details = log_of(world)[0]
    assert (action, actor) == (LinkAction.PLAYERS_IMPORTED, str(world.users["dora"]))
    assert (details["added"], details["updated"], set(details["guids"])) == ("2", "1", {"new-1", "new-2"})
    assert (details["old"]["guid-alice"]["name"], details["new"]["guid-alice"]["name"]) == ("^1Alice", "^2Alicia")
    assert "added: 2, updated: 1" in dora.page("/admin/audit").words


@pytest.mark.parametrize(("content", "sentence"), BAD)
def test_a_file_that_is_wrong_is_refused_with_its_line_and_nothing_is_stored(
    world: World, dora: Browser, content: bytes, sentence: str
) -> None:
    with nothing_stored(world):
        assert sentence in is_page(upload(dora, content), 422)


@pytest.mark.parametrize(
    "content",
    [
        "guid;name;aliases;rating\nNEW-1;^1Žan;Ali|Zan;1,5\n",
        "GUID\tName\tAliases\tRating\nNEW-1\t^1Žan\tAli|Zan\t1,5\n",
        'guid, Name ,ALIASES,rating\nnew-1,^1Z\u030can,Ali|Zan,"1.5"\n,,,\n\n , \n',
    ],
    ids=["semicolons", "tabs", "empty rows"],
)
def test_what_spreadsheets_write_is_read(world: World, dora: Browser, content: str) -> None:
    assert confirm(dora, upload(dora, content.encode())).status_code == 303
    assert stored(world)["new-1"] == ("^1Žan", ["Ali", "Zan"])
    assert ratings(world)["new-1"] == 1.5


def test_a_guid_in_other_letters_is_the_same_player(world: World, dora: Browser) -> None:
    assert confirm(dora, upload(dora, b"guid,name\nGUID-Alice,Alicia\n")).status_code == 303
    assert stored(world)["guid-alice"][0] == "Alicia"
    assert "GUID-Alice" not in stored(world)


def test_without_a_file_there_is_nothing_to_look_at(world: World, dora: Browser) -> None:
    with nothing_stored(world):
        assert "Pick a file" in is_page(dora.post("/admin/players/import"), 422)
        form = {"csrf_token": dora.csrf(), "file": (BytesIO(b""), "")}
        is_page(dora.client.post("/admin/players/import", data=form, content_type="multipart/form-data"), 422)


@pytest.mark.parametrize("text", ["", "guid,name\nn1,One\n,Two\n", "guid,name\nn1,\x00\n", "nonsense"])
def test_a_confirmation_is_read_by_the_same_rules(world: World, dora: Browser, text: str) -> None:
    with nothing_stored(world):
        is_page(dora.post("/admin/players/import/confirm", {"text": text}), 422)


def ratings(world: World) -> dict[str, float | None]:
    with world.session() as session:
        return {one.guid: one.rating for one in session.scalars(select(Player))}


def test_a_file_may_have_ratings_and_an_empty_one_is_unknown(world: World, dora: Browser) -> None:
    lines = [
        "guid,name,aliases,rating",
        "guid-alice,Alice,Ali,1.25",
        "guid-bob,Bob,, ",
        "new-1,One,,-3",
        "new-2,Two,,+.5e1",
    ]
    assert lands(confirm(dora, upload(dora, "\n".join(lines).encode()))) == "/admin/players"
    found = ratings(world)
    assert [found[guid] for guid in ("guid-alice", "guid-bob", "new-1", "new-2")] == [1.25, None, -3.0, 5.0]
    assert found["guid-erik"] is None, "who is not in the file"


def test_without_the_column_ratings_stay_and_an_empty_field_clears_its_own(world: World, dora: Browser) -> None:
    confirm(dora, upload(dora, b"guid,name,rating\nguid-alice,Alice,1.5\nguid-bob,Bob,2\nguid-erik,Erik,0\n"))
    confirm(dora, upload(dora, b"guid,name,aliases\nguid-alice,Alicia,\nnew-1,One,\n"))
    found = ratings(world)
    assert [found[guid] for guid in ("guid-alice", "guid-bob", "guid-erik", "new-1")] == [1.5, 2.0, 0.0, None]
    confirm(dora, upload(dora, b"name,rating,guid\nAlicia,,guid-alice\nBob,2.5,guid-bob\n"))
    found = ratings(world)
    assert [found[guid] for guid in ("guid-alice", "guid-bob", "guid-erik")] == [None, 2.5, 0.0]


def test_markup_in_a_file_is_text(world: World, dora: Browser) -> None:
    nasty = '<script>alert(1)</script>"><img src=x>'
    quoted = nasty.replace('"', '""')
    page = upload(dora, f'guid,name,aliases\n"{quoted}","{quoted}","{quoted}"\n'.encode())
    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    confirm(dora, page)
    assert stored(world)[nasty] == (nasty, [nasty])
    for path in ("/admin/players?q=script", "/admin/audit"):
        assert "<script>alert" not in dora.get(path).text
    assert "<script>alert" not in upload(dora, f'guid,name\n"{quoted}",a\n"{quoted}",b\n'.encode()).text


def test_a_large_file_is_taken_from_admins_alone_and_here_alone(world: World, dora: Browser, bob: Browser) -> None:
    lines = [f"guid-{number:06},Player {number:06},{'|'.join(['x' * 50] * 14)}" for number in range(5_000)]
    large = "\n".join(["guid,name,aliases", *lines]).encode()
    assert 3 * 2**20 < len(large) < 4 * 2**20
    page = upload(dora, large)
    assert "5000 new profiles" in page.text
    assert "And 4990 more" in page.text
    assert confirm(dora, page).status_code == 303
    assert len(stored(world)) == 5_007
    with nothing_stored(world):
        is_page(upload(bob, large), 413)
        is_page(upload(dora, large + b"x" * 2**20), 413)
        is_page(dora.post("/admin/roles/grant", {"discord_id": "1" * 100_000}), 413)


def test_more_profiles_than_a_statement_has_parameters_can_be_asked_for(world: World) -> None:
    with world.session() as session:
        asked = ["guid-alice", *(f"guid-{number}" for number in range(70_000))]
        assert accounts.known_guids(session, asked) == {"guid-alice"}


def test_profiles_are_counted_and_found_with_who_has_them(world: World, dora: Browser) -> None:
    page = dora.page("/admin/players").by_id("main").words
    assert "7 profiles, 6 linked" in page
    words = dora.page("/admin/players?q=ali").by_id("main").words
    assert "guid-alice" in words
    assert CAST["alice"] in words
    assert "Nobody has it" in dora.page("/admin/players?q=spare").by_id("main").words
    assert "No profile matches “ %% ”" in dora.page("/admin/players?q=%25%25").by_id("main").words


@pytest.fixture
def command_line(world: World, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line on the world of the tests."""
    monkeypatch.setattr(data, "open_database", lambda: (world.runtime.database, world.runtime.settings))
    return CliRunner()


def test_the_command_line_takes_the_same_file(world: World, command_line: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "players.csv"
    file.write_text(GOOD, encoding="utf-8-sig")
    result = command_line.invoke(data.players, ["import", str(file)])
    assert (result.exit_code, result.output) == (0, "2 added, 1 updated.\n")
    assert stored(world)["new-1"] == ("Žan", [])
    action, actor, details = log_of(world)[0]
    assert (action, actor, details["added"], details["updated"]) == (
        LinkAction.PLAYERS_IMPORTED,
        "command line",
        "2",
        "1",
    )


def test_the_command_line_takes_ratings(world: World, command_line: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "players.csv"
    file.write_text("guid,name,rating\nguid-alice,Alice,0.75\n")
    assert command_line.invoke(data.players, ["import", str(file)]).exit_code == 0
    assert ratings(world)["guid-alice"] == 0.75


@pytest.mark.parametrize(("content", "sentence"), [BAD[3], BAD[-2]])
def test_the_command_line_refuses_the_same_files(
    world: World, command_line: CliRunner, tmp_path: Path, content: bytes, sentence: str
) -> None:
    """It decodes and reads them with the same functions: a bad file for each."""
    file = tmp_path / "players.csv"
    file.write_bytes(content)
    with nothing_stored(world):
        result = command_line.invoke(data.players, ["import", str(file)])
    assert result.exit_code == 1
    assert sentence in result.output
    assert str(file) in result.output
