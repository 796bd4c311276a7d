"""Stores an explanation as JSON, under a check constraint that knows the codes."""

import json
from typing import Annotated, Any

from sqlalchemy import CheckConstraint, Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator

from slomix.reasons.codes import Explanation, Reason


class ExplanationType(TypeDecorator[Explanation]):
    """`{"code": …, "detail": …, "then": {…}}`, without what is None."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Explanation | None, _dialect: Dialect) -> dict[str, Any] | None:
        return value.as_json() if value is not None else None

    def process_result_value(self, value: dict[str, Any] | None, _dialect: Dialect) -> Explanation | None:
        return Explanation.of_json(value) if value is not None else None


Explained = Annotated[Explanation, mapped_column(ExplanationType)]


def known(column: str) -> CheckConstraint:
    """Return the constraint that every code in `column` is one of ours."""
    codes = json.dumps([reason.value for reason in Reason])
    return CheckConstraint(
        f"jsonb_path_exists({column}, '$.code') AND jsonb_path_query_array({column}, '$.**.code') <@ '{codes}'",
        name=f"{column}_known",
    )
