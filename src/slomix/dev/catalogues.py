"""The catalogues of texts: extract what the code says, bring the translations up to date, compile and check them.

python -m slomix.dev.catalogues compile    at set-up
python -m slomix.dev.catalogues update     after a text was added or changed
python -m slomix.dev.catalogues add de     begin another language
python -m slomix.dev.catalogues check      what is missing; part of `make lint`
"""

import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from slomix.database.session import ROOT
from slomix.i18n import TRANSLATIONS

KEYWORDS = {**DEFAULT_KEYWORDS, "_": None, "N_": None, "later": None, "gettext": None, "pgettext": ((1, "c"), 2)}
SOURCES = [("src/slomix/**.py", "python"), ("templates/**", "jinja2")]
OPTIONS = {"templates/**": {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}}
# A comment above a text that begins so is for translators.
COMMENT = "i18n:"
# Jinja fills in %(blanks)s, the code {blanks}.
BLANK = re.compile(r"%\((\w+)\)s")


def extract() -> Catalog:
    """Collect every text of code and templates; where it stands is named without the line, which changes daily."""
    catalog = Catalog(project="Slomix", charset="utf-8")
    found = extract_from_dir(ROOT, SOURCES, OPTIONS, KEYWORDS, (COMMENT,), strip_comment_tags=True)
    for filename, _line, text, comments, context in found:
        catalog.add(text, locations=[(filename, 0)], auto_comments=comments, context=context)
    return catalog


def files() -> list[Path]:
    """Return the translations there are."""
    return sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))


def read(file: Path) -> Catalog:
    """Read one of them."""
    with file.open("rb") as stored:
        return read_po(stored, locale=file.parts[-3])


def write(file: Path, catalog: Catalog) -> None:
    """Write it in a form that changes no more than its texts do."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stored:
        write_po(stored, catalog, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True)


def update(file: Path, source: Catalog) -> None:
    """Take new texts in, and those that are gone out; a translation is never guessed from a similar text."""
    catalog = read(file)
    created, revised = catalog.creation_date, catalog.revision_date
    catalog.update(source, no_fuzzy_matching=True, update_creation_date=False)
    catalog.creation_date, catalog.revision_date = created, revised
    write(file, catalog)


def compile_files(translations: list[Path]) -> None:
    """Write beside each translation what the processes read; beside all of them if none is named."""
    for file in translations or files():
        with file.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, read(file))


def problems() -> Iterator[str]:
    """Say what is missing or wrong in the translations."""
    source = extract()
    texts = {_key(message): message for message in source if message.id}
    for file in files():
        catalog = read(file)
        language = file.parts[-3]
        known = {_key(message): message for message in catalog if message.id}
        for key in texts.keys() - known.keys():
            yield f"{language}: not taken in yet (python -m slomix.dev.catalogues update): {key[0]!r}"
        for key in known.keys() - texts.keys():
            yield f"{language}: no text of ours any more: {key[0]!r}"
        for key in texts.keys() & known.keys():
            yield from (f"{language}: {problem}: {key[0]!r}" for problem in _wrong(known[key], catalog.num_plurals))


def _key(message: Message) -> tuple[str, str | None]:
    return (message.id if isinstance(message.id, str) else message.id[0], message.context)


def _wrong(message: Message, plurals: int) -> Iterator[str]:
    sources = [message.id] if isinstance(message.id, str) else list(message.id)
    given = [message.string] if isinstance(message.string, str) else list(message.string or [""])
    if message.fuzzy:
        yield "to be looked at"
    if not all(given) or (len(sources) == 2 and len(given) != plurals):
        yield "not translated"
        return
    allowed = set().union(*(_blanks(text) for text in sources))
    wanted = set.intersection(*(_blanks(text) for text in sources))
    for text in given:
        if not wanted <= _blanks(text) <= allowed:
            yield "other blanks"


def _blanks(text: str) -> set[str]:
    braces = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None} if "{" in text else set()
    return braces | set(BLANK.findall(text))


def main(arguments: list[str]) -> int:
    """Do what the command says; return the exit code."""
    match arguments:
        case ["compile", *paths]:
            compile_files([Path(path) for path in paths])
        case ["update"]:
            source = extract()
            for file in files():
                update(file, source)
            compile_files([])
        case ["add", language]:
            file = TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
            write(file, Catalog(locale=language, project="Slomix", charset="utf-8"))
            update(file, extract())
        case ["check"]:
            found = sorted(problems())
            print("\n".join(found[:50]), *([f"and {len(found) - 50} more"] if len(found) > 50 else []), sep="\n")
            return 1 if found else 0
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
