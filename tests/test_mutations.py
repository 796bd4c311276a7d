"""The list of mutations fits the code: one that no longer does would be tried by nobody."""

from pathlib import Path

from tests.mutations.listed import MUTATIONS
from tests.mutations.mutation import out_of_date


def test_every_mutation_can_be_made_and_names_tests_that_there_are(root: Path) -> None:
    assert list(out_of_date(MUTATIONS, root)) == []
