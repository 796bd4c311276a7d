"""Logic reads codes, people read texts: no code compares a sentence, and none is stored as a reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from slomix.campaigns.rules import PROMISES, Promise
from slomix.reasons.codes import REASON_TEXTS, Explanation, Reason

# What takes a reason that is stored or compared.
TAKES_A_REASON = {"Done", "Retry", "Skip", "Skipped", "SendError", "RateLimited", "Unanswered", "Explanation"}
TAKES_A_REASON |= {"LeftOut"}
NAMES = {"reason", "unusable_reason", "last_error", "error"}
# A finding of an import and the health of a part are said once and never stored; logs are not read by code.
SAID_ONCE = {"legacy_import", "health", "config", "cli", "dev"}
# Where texts are made of codes.
ALLOWED = {("campaigns/api.py", "reason=REASON_TEXTS[person.reason])")}
LOOKS_UP = {"_", "gettext", "ngettext", "pgettext", "N_", "in_all_languages"}


def astray(code: str) -> Iterator[tuple[int, str]]:
    """The comparisons with a text of the catalogues, and the reasons that are a text, with their lines."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Attribute()]):
                pass  # the keys of a table of texts are codes
            case ast.Compare(left=left, comparators=others) if any(map(_is_words, [left, *others])):
                yield node.lineno, ast.unparse(node)
            case ast.Call(func=called, args=positional, keywords=named):
                reasons = [one.value for one in named if one.arg in NAMES and not _is_log(called)]
                if _name(called) in TAKES_A_REASON:
                    reasons += positional[:2] if _name(called) == "Done" else positional[:1]
                if any(map(_is_text, reasons)):
                    yield node.lineno, ast.unparse(node)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                if any(_is_stored(name) and _is_text(value) for name, value in zip(names, values, strict=True)):
                    yield node.lineno, ast.unparse(node)
            case ast.Assign(targets=targets, value=value) if any(map(_is_stored, targets)) and _is_text(value):
                yield node.lineno, ast.unparse(node)


def _name(called: ast.expr) -> str:
    return ast.unparse(called).rpartition(".")[2]


def _is_log(called: ast.expr) -> bool:
    return ast.unparse(called).startswith("log.")


def _is_stored(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and target.attr in NAMES


def _is_words(node: ast.AST) -> bool:
    """Whether a text is looked up in it, by itself or in a table of texts by their codes."""
    return any(
        (isinstance(one, ast.Call) and _name(one.func) in LOOKS_UP)
        or (isinstance(one, ast.Subscript) and isinstance(one.value, ast.Name) and one.value.id.isupper())
        for one in ast.walk(node)
    )


def _is_text(node: ast.AST) -> bool:
    return (
        _is_words(node)
        or isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    )


def test_no_code_compares_or_stores_a_sentence(root: Path) -> None:
    package = root / "src/slomix"
    found = [
        f"{path.relative_to(root)}:{line}: {text}"
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts[0] not in SAID_ONCE
        for line, text in astray(path.read_text())
        if not any(str(path.relative_to(package)) == file and text.endswith(end) for file, end in ALLOWED)
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        'row.reason == _("cancelled")',
        'gettext("unreadable") != row.reason',
        'reason in {None, _("no working contact")}',
        'reason == REASON_TEXTS["expired"]',
        'Skip("cancelled")',
        'rules.Skip(_("cancelled"))',
        'Done(JobStatus.SKIPPED, "too late")',
        'SendError(f"Discord answered {status}")',
        'jobs.skip_pending(session, kind, subjects, reason="cancelled", now=now)',
        'update(Delivery).values(reason=N_("cancelled"))',
        'row.status, row.reason = DeliveryStatus.SKIPPED, "cancelled"',
        'contact.unusable_reason = _("unreadable")',
    ],
)
def test_a_sentence_is_found(code: str) -> None:
    assert len(list(astray(code))) == 1


@pytest.mark.parametrize(
    "code",
    [
        "row.reason == Explanation(Reason.WITHDRAWN)",
        "Skip(Reason.WITHDRAWN)",
        "Done(JobStatus.SKIPPED, Explanation(Reason.TOO_LATE))",
        'Explanation(Reason.DISCORD_ANSWERED, f"{status} {message}")',
        'log.warning("inbox.provider_away", reason=str(error))',
        "row.status, row.reason = DeliveryStatus.SENT, None",
        "say(REASON_TEXTS[reason])",
    ],
)
def test_a_code_is_none(code: str) -> None:
    assert list(astray(code)) == []


def test_every_code_has_its_text() -> None:
    assert set(REASON_TEXTS) == set(Reason)
    assert set(PROMISES) == set(Promise)


def test_a_text_is_made_of_what_is_known_and_of_what_came_later() -> None:
    cut = Explanation(Reason.DISCORD_DID_NOT_ANSWER, "ReadError {detail}")
    assert str(cut.followed_by(Reason.EXPIRED)) == "Discord didn’t answer (ReadError {detail}); expired"
    assert str(Explanation(Reason.VOICE_NOT_KNOWN, then=cut)) == f"we couldn’t see who’s in voice: {cut}"
    assert Explanation.of_json(cut.followed_by(Reason.EXPIRED).as_json()) == cut.followed_by(Reason.EXPIRED)
    assert str(Explanation(Reason.CRASHED, "!" * 2000, then=cut).shortened()) == "!" * 1000 + f"; {cut}"
