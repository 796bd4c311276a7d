"""Imports player profiles from a CSV file (guid, name, aliases split by |, rating), all of them or none."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from slomix.accounts import service
from slomix.accounts.rules import LinkAction, canonical_guid
from slomix.accounts.service import ProfileChanges
from slomix.errors import Invalid
from slomix.i18n import _
from slomix.presence.game_names import InvalidName, clean_name, has_control

ProfileRow = tuple[str, str, list[str]]

# As a person writes it: `float` alone would take 1_0 and nan.
RATING = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
# So large that it is a mistake, and small enough that sums of ratings are numbers.
LARGEST_RATING = 1e9
LONGEST_GUID = 64


@dataclass(frozen=True)
class ParsedProfiles:
    """The profiles of a file, and their ratings by guid; `ratings` is None without that column."""

    rows: list[ProfileRow]
    ratings: dict[str, float | None] | None


class InvalidPlayersFile(Invalid):
    """The file cannot be imported; the sentence says why, and in which line."""


def decode_file(data: bytes) -> str:
    """Read the text of a file. Raise InvalidPlayersFile if it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidPlayersFile(_("This file is not UTF-8. Save it as CSV in UTF-8 and try again.")) from None


def parse_profiles(text: str) -> ParsedProfiles:
    """Read the profiles in a text. Raise InvalidPlayersFile."""
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    found: dict[str, ProfileRow] = {}
    ratings: dict[str, float | None] = {}
    try:
        reader.fieldnames = [column.strip().lower() for column in reader.fieldnames or ()]
        missing = {"guid", "name"} - set(reader.fieldnames)
        if missing:
            raise InvalidPlayersFile(
                _(
                    "The first line names the columns, and {columns} is missing in it. Separate them by "
                    "commas or semicolons."
                ).format(columns=", ".join(sorted(missing)))
            )
        for (guid, name, aliases), rating in _rows(reader):
            if guid in found:
                raise InvalidPlayersFile(
                    _("Line {line}: the guid {guid} is there twice.").format(line=reader.line_num, guid=guid)
                )
            found[guid], ratings[guid] = (guid, name, aliases), rating
    except csv.Error as error:
        raise InvalidPlayersFile(
            _("This is not CSV, from about line {line} on ({error}).").format(line=reader.line_num, error=error)
        ) from None
    if not found:
        raise InvalidPlayersFile(_("There is no profile in this file."))
    return ParsedProfiles(list(found.values()), ratings if "rating" in reader.fieldnames else None)


def _separator(text: str) -> str:
    """Return what separates the columns: a comma, or what spreadsheets write where the comma is in numbers."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _rows(reader: "csv.DictReader[str]") -> Iterator[tuple[ProfileRow, float | None]]:
    # Where the comma separates no columns, spreadsheets write it in numbers.
    has_decimal_comma = reader.reader.dialect.delimiter != ","
    for row in reader:
        line, surplus = reader.line_num, row.pop(None, [])  # where DictReader keeps what no column is for
        if not "".join(filter(None, (*row.values(), *surplus))).strip():
            continue  # spreadsheets end their files so
        if surplus:
            raise InvalidPlayersFile(
                _("Line {line} has more fields than the first one. Put what has a comma in it in quotes.").format(
                    line=line
                )
            )
        guid, name = (row["guid"] or "").strip(), (row["name"] or "").strip()
        if not guid or not name:
            raise InvalidPlayersFile(_("Line {line}: guid and name must both be there.").format(line=line))
        if has_control(guid) or len(guid) > LONGEST_GUID:
            raise InvalidPlayersFile(
                _("Line {line}: a guid has at most {longest} characters that can be shown.").format(
                    line=line, longest=LONGEST_GUID
                )
            )
        aliases = [
            _name(alias, _("Line {line}: an alias"), line)
            for alias in (row.get("aliases") or "").split("|")
            if alias.strip()
        ]
        yield (
            (canonical_guid(guid), _name(name, _("Line {line}: the name"), line), aliases),
            _rating((row.get("rating") or "").strip().replace(",", "." if has_decimal_comma else ","), line),
        )


def _name(text: str, what: str, line: int) -> str:
    """Read a name. Raise InvalidPlayersFile with its line."""
    try:
        return clean_name(text, what=what.format(line=line))
    except InvalidName as error:
        raise InvalidPlayersFile(str(error)) from None


def _rating(text: str, line: int) -> float | None:
    """Read how strong a player is; None if empty. Raise InvalidPlayersFile for anything but a number."""
    if not text:
        return None
    if RATING.fullmatch(text) is None or abs(float(text)) > LARGEST_RATING:
        raise InvalidPlayersFile(
            _("Line {line}: the rating must be a number such as 1.25, not beyond a billion, or empty.").format(
                line=line
            )
        )
    return float(text)


def import_profiles(session: Session, profiles: ParsedProfiles, *, actor: str | None, now: datetime) -> tuple[int, int]:
    """Add and update these profiles, log it, and return how many of each; `actor` is who did it."""
    done = service.import_players(session, profiles.rows, ratings=profiles.ratings, now=now)
    record_import(session, done, actor=actor, now=now)
    return done.counts


def record_import(session: Session, done: ProfileChanges, *, actor: str | None, now: datetime) -> None:
    """Log an import with every profile that it changed."""
    service.record_action(
        session,
        LinkAction.PLAYERS_IMPORTED,
        actor=actor,
        now=now,
        added=str(len(done.added)),
        updated=str(len(done.new)),
        guids=list(done.added),
        old=done.old,
        new=done.new,
    )
