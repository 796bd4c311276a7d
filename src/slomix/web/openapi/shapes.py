"""What the requests and answers of the JSON API are made of."""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Annotated, Any, ClassVar, Final, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from slomix.errors import Invalid
from slomix.i18n import N_, _
from slomix.web import responses

# The default of a field that may be left out, whatever its type. `sent_fields()` tells it from null.
LEFT_OUT: Final[Any] = None


class Input(BaseModel):
    """What a call takes: the fields it knows; others are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    # Whether a missing body means an empty object.
    is_optional: ClassVar[bool] = False

    def sent_fields(self) -> dict[str, Any]:
        """Return the fields that were sent, also those that were sent as null."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Answer(BaseModel):
    """What a call answers: these fields and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is sent. A field that was not given is left out."""
        return self.model_dump(mode="json", exclude_unset=True)


_Model = TypeVar("_Model", bound=BaseModel)

# How an error of a field is known: a rule's own sentence, or a sentence with a blank for the field's name.
_RULE, _KIND = "rule", "kind"


def read(model: type[_Model], given: Mapping[str, Any]) -> _Model:
    """Read what was sent. Raise Invalid with a sentence about the first field that is wrong."""
    # A required field that is missing is as wrong as one of another kind, and told in the same words.
    needed = {field.alias or name: ... for name, field in model.model_fields.items() if field.is_required()}
    try:
        return model.model_validate({**needed, **given})
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
    field, sentence = ".".join(part for part in wrong["loc"] if isinstance(part, str)), wrong["msg"]
    if wrong["type"] == _RULE:
        raise Invalid(_("Field {field}: {sentence}").format(field=field, sentence=sentence))
    raise Invalid(sentence.replace("{field}", field))


def parse_with(parse: Callable[[str], Any]) -> BeforeValidator:
    """Read a text by a rule, which raises Invalid for what makes no sense."""

    def read_text(value: object) -> Any:
        try:
            return parse(_text(value))
        except Invalid as error:
            raise _by_rule(str(error)) from None

    return BeforeValidator(read_text)


def refused_with(sentence: str | type[Invalid]) -> WrapValidator:
    """Say this of whatever is wrong with a value: a sentence with a blank for the field, or that of a rule."""

    def read_value(value: object, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            if error.errors(include_url=False, include_input=False)[0]["type"] == _RULE:
                raise
        if isinstance(sentence, str):
            raise PydanticCustomError(_KIND, _(sentence))
        raise _by_rule(str(sentence()))

    return WrapValidator(read_value)


def _by_rule(sentence: str) -> PydanticCustomError:
    return PydanticCustomError(_RULE, "{sentence}", {"sentence": sentence})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError(_KIND, _("The field {field} must be a text."))
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):  # half a character: "\ud800"
        raise _by_rule(_("Some of what you sent cannot be stored, such as a zero byte. Nothing was changed."))
    return value


def _id(value: object) -> int:
    """Read an id that is a text: a number may have been rounded on its way."""
    number = responses.parse_id(value) if isinstance(value, str) else None
    if number is None:
        raise ValueError
    return number


def text_schema(**more: Any) -> WithJsonSchema:
    """Describe what is a text in JSON, and something else in Python."""
    return WithJsonSchema({"type": "string"} | more)


_AN_ID: Final = "An id. It is a text, since numbers of that size do not survive JavaScript."
_ID_SCHEMA = text_schema(pattern="^[1-9][0-9]*$", description=_AN_ID)

# In requests.
Text = Annotated[str, BeforeValidator(_text)]
Flag = Annotated[StrictBool, refused_with(N_("The field {field} must be true or false."))]
AnyId = Annotated[int, BeforeValidator(_id), _ID_SCHEMA]
IdInput = Annotated[AnyId, refused_with(N_('The field {field} must be an id as a text, such as "12".'))]
# In the query of an address, where every value is a text.
Switch = Annotated[bool, BeforeValidator(lambda text: text.lower() in {"1", "true", "yes", "on"})]

# In answers.
Id = Annotated[int, PlainSerializer(str), _ID_SCHEMA]
Number = Annotated[int, Field(ge=0)]
Moment = Annotated[
    datetime,
    PlainSerializer(datetime.isoformat),
    text_schema(format="date-time", examples=["2026-11-20T20:00:00+00:00"]),
]

# In both.
TimeOfDay = Annotated[
    time,
    PlainSerializer(lambda at: f"{at:%H:%M}"),
    text_schema(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["20:45"]),
]
