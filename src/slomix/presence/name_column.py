"""Columns for names: what was not cleaned by `clean_name` is not stored."""

from typing import Annotated

from sqlalchemy import Dialect, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator

from slomix.presence.game_names import clean_name


class NameType(TypeDecorator[str]):
    """A text that `clean_name` has returned. A name that is stored already is read as it is."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        if value is not None and clean_name(value) != value:
            raise ValueError("a name is cleaned before it is stored")
        return value


Name = Annotated[str, mapped_column(NameType)]
Names = Annotated[list[str], mapped_column(ARRAY(NameType))]
# The keys of names, by which they are compared and searched.
NameKeys = Annotated[list[str], mapped_column(ARRAY(Text))]
