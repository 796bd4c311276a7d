"""One mutation: a line of the code that is wrong on purpose, and the tests that must fail for it."""

from dataclasses import dataclass
from pathlib import Path


class OutOfDate(Exception):
    """The code has changed, and the list has to follow it."""


@dataclass(frozen=True)
class Mutation:
    """Replace `old` with `new` in `file`; each of `caught_by` is a file of tests, or a test in one."""

    name: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]

    def apply(self, tree: Path) -> str:
        """Break the code in this tree; return the file as it was. Raise OutOfDate unless `old` stands there once."""
        path = tree / self.file
        if not path.is_file():
            raise OutOfDate(f"{self.name}: there is no {self.file}")
        text = path.read_text()
        found = text.count(self.old)
        if found != 1:
            raise OutOfDate(f"{self.name}: {self.file} has what is to be replaced {found} times, not once")
        path.write_text(text.replace(self.old, self.new))
        return text


def missing_tests(mutation: Mutation, tree: Path) -> list[str]:
    """Return what `caught_by` names and this tree does not have."""
    missing = []
    for test in mutation.caught_by:
        file, _, function = test.partition("::")
        path = tree / file
        if not path.is_file() or (function and f"def {function}(" not in path.read_text()):
            missing.append(test)
    return missing
