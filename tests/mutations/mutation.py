"""One mutation: a line of the code that is wrong on purpose, and the tests that must fail for it."""

from collections.abc import Iterator, Sequence
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

    def broken(self, tree: Path) -> str:
        """Return what the file in this tree reads when broken. Raise OutOfDate unless `old` stands there once."""
        path = tree / self.file
        if not path.is_file():
            raise OutOfDate(f"{self.name}: there is no {self.file}")
        text = path.read_text()
        found = text.count(self.old)
        if found != 1:
            raise OutOfDate(f"{self.name}: {self.file} has what is to be replaced {found} times, not once")
        return text.replace(self.old, self.new)


def out_of_date(mutations: Sequence[Mutation], tree: Path) -> Iterator[str]:
    """What these mutations say of the code and the tests in this tree that is not so."""
    for mutation in mutations:
        try:
            mutation.broken(tree)
        except OutOfDate as error:
            yield str(error)
        for test in mutation.caught_by:
            file, _, function = test.partition("::")
            path = tree / file
            if not path.is_file() or (function and f"def {function}(" not in path.read_text()):
                yield f"{mutation.name}: there is no {test}"
