"""Sentences about settings: each begins with the name of its variable and a colon, and quotes no secret."""

import re
from collections.abc import Iterable
from typing import Any


def describe_problem(problem: Any) -> str:
    """Turn an error of pydantic into a sentence for operators."""
    limit = problem.get("ctx", {})
    match problem["type"]:
        case "greater_than_equal":
            text = f"is less than {limit['ge']}"
        case "less_than_equal":
            text = f"is more than {limit['le']}"
        case "literal_error":
            text = f"is not {limit['expected']}"
        case _:
            text = str(problem["msg"]).removeprefix("Value error, ")
    return f"{problem['loc'][0]}: {text}"


def named_variables(sentences: Iterable[str]) -> frozenset[str]:
    """Return the variables that sentences begin with; NAME for NAME_FILE."""
    return frozenset(text.partition(":")[0].removesuffix("_FILE") for text in sentences)


def without_named(sentences: Iterable[str], *, by: Iterable[str]) -> list[str]:
    """Leave out sentences about a variable that is invalid anyway: they are about its default."""
    wrong = named_variables(by)
    return [text for text in sentences if not wrong.intersection(re.findall(r"[A-Z][A-Z_]+", text))]
