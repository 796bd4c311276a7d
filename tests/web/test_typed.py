"""Fields to type in know their limits, a mistake is told by the field, and nothing that was typed is lost."""

import re
from pathlib import Path

import pytest

from tests.web.conftest import Browse
from tests.web.planning import PAGE, arranged
from tests.web.reading import read
from tests.world import World

# Fields for something to type in a form that is posted, with how a mistake in it is answered: the form again, or the
# error's page with what was typed in it. What is searched for stands in the address and is shown again.
TYPED = {
    ("admin/roles.html", "discord_id"): "shown",
    ("board/profile.html", "note"): "shown",
    ("planning/_names.html", "name"): "shown",
    ("contacts/preferences.html", "looking_threshold"): "form",
    ("contacts/preferences.html", "quiet_start"): "form",
    ("contacts/preferences.html", "quiet_end"): "form",
    ("contacts/preferences.html", "zone"): "form",
    ("contacts/preferences.html", "sound_cooldown"): "form",
    ("campaigns/_promote.html", "start"): "shown",
    ("admin/players.html", "file"): "file",
}
FIELD = re.compile(r"<(input|textarea)\b([^>]*)>", re.DOTALL)
TIME = re.compile(r"\btime_input\(\"(\w+)\"")
NOT_TYPED = ("hidden", "checkbox", "radio", "search", "submit", "date")


def attribute(text: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', text)
    return found[1] if found else ""


def typed_fields(root: Path) -> dict[tuple[str, str], str]:
    found = {}
    for path in (root / "templates").rglob("*.html"):
        for kind, attributes in FIELD.findall(path.read_text()):
            if kind == "textarea" or attribute(attributes, "type") not in NOT_TYPED:
                name = attribute(attributes, "name")
                if name and "readonly" not in attributes:
                    found[str(path.relative_to(root / "templates")), name] = attributes
        for name in TIME.findall(path.read_text()):
            found[str(path.relative_to(root / "templates")), name] = 'maxlength="that of the macro"'
    assert attribute(found.pop(("_form.html", "{{ name }}")), "maxlength")
    return found


def test_every_field_to_type_in_is_in_the_table(root: Path) -> None:
    in_search = {("admin/ledger.html", "campaign")}
    assert typed_fields(root).keys() - in_search == TYPED.keys()


def test_every_field_to_type_in_has_a_limit(root: Path) -> None:
    unlimited = [
        field
        for field, attributes in typed_fields(root).items()
        if not re.search(r"\b(maxlength|max)=|type=\"(file|date)\"", attributes)
    ]
    assert unlimited == []


CASES = [
    ("goran", f"{PAGE}/names", {"name": "x" * 49}, "A team’s name has 2 to 48 characters; this one has 49"),
    ("goran", f"{PAGE}/names", {"name": "Bees\x00"}, "A team’s name has a character that cannot be shown"),
    ("goran", f"{PAGE}/names", {"name": "Z" + "\u0301" * 9}, "A team’s name may have at most 4"),
    ("charlie", "/profile/claim", {"guid": "guid-alice", "note": "n" * 501}, "500"),
    ("charlie", "/profile/claim", {"guid": "guid-alice", "note": "It is me\x00"}, "The note has a character"),
    ("dora", "/admin/roles/grant", {"discord_id": "no-id-7q", "role": "promoter"}, "Discord"),
    ("bob", "/campaigns", {"start": "25:99", "key": "k"}, "time"),
]


@pytest.mark.parametrize(("who", "path", "form", "why"), CASES)
def test_a_mistake_is_told_by_its_field_and_what_was_typed_is_there(
    world: World, browse: Browse, who: str, path: str, form: dict[str, str], why: str
) -> None:
    arranged(world)
    answer = browse(who).post(path, form)
    assert answer.status_code == 422, answer.text
    main = read(answer.text).by_id("main")
    assert why in main.words
    typed = next(form[name] for name in ("name", "note", "discord_id", "start") if name in form)
    assert typed.replace("\x00", "") in main.words
