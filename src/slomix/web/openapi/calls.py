"""One decorator for each call of the JSON API: it settles who calls, reads what they send and writes the answer.

Its arguments and the view's own signature are also what `/api/openapi.json` is made from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, get_args, get_type_hints

from flask import Response, jsonify, request
from pydantic import BaseModel, create_model

from slomix.web import gates
from slomix.web.json import json_object
from slomix.web.openapi.shapes import Answer, Input, read

Part = dict[str, Any]

_Who = TypeVar("_Who")
_P = ParamSpec("_P")
_Answered = TypeVar("_Answered", bound=Answer | tuple[Answer, int])

SESSION, BRIDGE = "session", "bridge"


@dataclass(frozen=True)
class Callers(Generic[_Who]):
    """Who may call. `check` returns who calls, or raises what keeps them out, with one of these statuses."""

    check: Callable[[], _Who]
    refusals: tuple[int, ...] = ()
    # How they show who they are.
    by: str = SESSION

    @property
    def is_public(self) -> bool:
        return 401 not in self.refusals


# The caller is looked up in the database, which may be away.
ANYBODY = Callers(gates.viewer, (503,))
LOGGED_IN = Callers(gates.require_user, (401, 503))
PLAYERS = Callers(gates.require_player, (401, 403, 503))
PROMOTERS = Callers(gates.require_promoter, (401, 403, 503))


@dataclass(frozen=True)
class Operation:
    """What is known of a call beside its address and its method."""

    operation_id: str
    tag: str
    audience: Callers[Any]
    summary: str
    description: str
    # By status, what an answer means; all of them have one form.
    answers: Mapping[int, str]
    answer: type[Answer]
    body: type[Input] | None
    query: type[Input] | None
    path: type[BaseModel]
    # The problems that only this call has.
    problems: tuple[int, ...]
    headers: Part
    parameters: tuple[Part, ...]

    def needs_our_page(self, method: str) -> bool:
        """Check whether only a page of ours may send this: a write, whose sender a browser vouches for by itself."""
        return method not in {"GET", "HEAD"} and self.audience.by == SESSION

    def refusals(self, method: str) -> list[int]:
        """Return the statuses of all problems that this can answer."""
        statuses = {*self.audience.refusals, *self.problems}
        statuses |= {403} if self.needs_our_page(method) else set()
        statuses |= {400, 413, 422} if self.body is not None else set()
        statuses |= {422} if self.query is not None else set()
        return sorted(statuses)

    def read(self, path: Mapping[str, Any]) -> dict[str, Any]:
        """Read all that was sent. Raise Invalid or NotAnObject."""
        given: dict[str, Any] = dict(read(self.path, path))
        if self.query is not None:
            given["query"] = read(self.query, request.args.to_dict())
        if self.body is not None:
            is_nothing = self.body.is_optional and not request.get_data()
            given["body"] = read(self.body, {} if is_nothing else json_object())
        return given


@dataclass(frozen=True)
class Calls:
    """The calls of one topic."""

    tag: str

    def call(
        self,
        operation_id: str,
        audience: Callers[_Who],
        answers: str | Mapping[int, str],
        *,
        problems: tuple[int, ...] = (),
        headers: Part | None = None,
        parameters: tuple[Part, ...] = (),
    ) -> Callable[[Callable[Concatenate[_Who, _P], _Answered]], Callable[..., Response]]:
        """Make a view of a function that takes who calls, then what is in the path, and `query` and `body` as models.

        Its docstring is the summary and the description; the model that it returns is the answer.
        """

        def decorate(view: Callable[Concatenate[_Who, _P], _Answered]) -> Callable[..., Response]:
            summary, _, description = (view.__doc__ or "").partition("\n")
            operation = Operation(
                operation_id=operation_id,
                tag=self.tag,
                audience=audience,
                summary=summary.rstrip("."),
                description=" ".join(description.split()),
                answers={200: answers} if isinstance(answers, str) else answers,
                problems=problems,
                headers=headers or {},
                parameters=parameters,
                **_models(view),
            )

            @wraps(view)
            def answered(**in_path: Any) -> Response:
                if operation.needs_our_page(request.method):
                    gates.check_write()
                who = audience.check()
                return _written(cast(Any, view)(who, **operation.read(in_path)), operation)

            cast(Any, answered).operation = operation
            return answered

        return decorate


def _models(view: Callable[..., Any]) -> dict[str, Any]:
    """Find in the signature of a view what it takes and answers."""
    hints = get_type_hints(view, include_extras=True)
    answer, body, query = hints.pop("return"), hints.pop("body", None), hints.pop("query", None)
    _who, *in_path = hints
    path = create_model("Path", **cast(Any, {name: (hints[name], ...) for name in in_path}))
    # An answer of several statuses comes with the one that it has this time.
    return {"answer": next(iter(get_args(answer)), answer), "body": body, "query": query, "path": path}


def _written(result: Answer | tuple[Answer, int], operation: Operation) -> Response:
    answer, status = result if isinstance(result, tuple) else (result, next(iter(operation.answers)))
    response = jsonify(answer.as_json())
    response.status_code = status
    return response
