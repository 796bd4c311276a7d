"""Whatever is wrong in a body, the answer is a sentence that names the field; nothing is half written."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr
from werkzeug.test import TestResponse

from slomix.availability.rules import Status
from slomix.web.openapi.calls import BRIDGE, Operation
from slomix.web.openapi.shapes import Input
from tests.moments import TODAY
from tests.web.conftest import Browser, browser_of, make_app, nothing_stored, with_settings
from tests.web.planning import arranged
from tests.world import World

SECRET = "the-bridge-of-the-tests-and-of-nothing-else"
# Wrong for a field of any kind; null is a value of some.
WRONG: list[Any] = [{"x": [1]}, [[]], [None], {}]
# Wrong for most; where one is right, the answer is no 422.
ODD: list[Any] = [None, "", " ", "\x00", "a\x00b", "\ud800", "x" * 5_000, 10**30, -1, 1.5, 0, True, "2026-13-40", "٣"]


def operations(app: Flask) -> Iterator[tuple[str, str, Operation]]:
    for rule in app.url_map.iter_rules():
        operation = getattr(app.view_functions[rule.endpoint], "operation", None)
        if operation is not None and operation.body is not None:
            [method] = (rule.methods or set()) & {"POST", "PUT", "DELETE", "PATCH"}
            yield method, rule.rule, operation


def fields(model: type[Input], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field of a body, also those of objects in it."""
    for name, field in model.model_fields.items():
        yield (*before, field.alias or name)
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            kind = getattr(part, "__origin__", part)
            if isinstance(kind, type) and issubclass(kind, Input):
                yield from fields(kind, (*before, field.alias or name))


def with_value(example: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    first, *rest = path
    inner = example.get(first)
    return example | {
        first: with_value(inner if isinstance(inner, dict) else {}, tuple(rest), value) if rest else value
    }


def told(answer: TestResponse) -> set[str]:
    """The words of the refusal, and the whole of it."""
    detail = str(answer.get_json()["detail"])
    return {detail, *re.findall(r"\w+", detail)}


@pytest.fixture
def caller(world: World) -> Browser:
    """Alice, who runs tonight's room and promotes, and a bridge with its secret."""
    settings = {"internal_api_secret": SecretStr(SECRET), "link_code_interval_seconds": 0}
    promoters = frozenset({"100000000000000001"})
    here = with_settings(world, **settings, promoter_discord_ids=promoters)
    arranged(here)
    here.says("erik", Status.LOOKING)
    return browser_of(make_app(here.runtime), here, "alice")


def test_every_field_of_every_body_is_refused_by_its_name(
    world: World, caller: Browser, uncounted: Callable[[], None]
) -> None:
    seen, silent = set(), []
    for method, rule, operation in operations(caller.client.application):
        assert operation.body is not None
        example: Any = (operation.body.model_config.get("json_schema_extra") or {})["examples"][0]  # type: ignore[index]
        path = rule.replace("<day>", str(TODAY)).replace("<id:campaign_id>", "1")
        more = {"Authorization": f"Bearer {SECRET}"} if operation.audience.by == BRIDGE else {}
        # Of the evening, not of a field: the example's ids are those of nobody.
        otherwise = caller.call(method, path, dict(example), **more).get_json().get("detail")
        for field in fields(operation.body):
            seen.add((rule, field))
            uncounted()
            caller.client.application.extensions["slomix_shares"].reset()
            for value in WRONG + ODD:
                must_refuse = any(value is one for one in WRONG)
                body = with_value(dict(example), field, value)
                about = f"{method} {rule} {'.'.join(field)} = {value!r:.40}"
                answer = caller.call(method, path, body, **more)
                if answer.status_code >= 500 or (must_refuse and answer.status_code != 422):
                    silent.append(f"{about}: {answer.status_code}")
                elif answer.status_code == 422 and not {field[-1], otherwise} & told(answer):
                    silent.append(f"{about}: {answer.get_json()['detail']}")
    assert len(seen) > 20
    assert not silent, "\n".join(silent)


def test_a_refused_body_stores_nothing(world: World, caller: Browser) -> None:
    for method, rule, operation in operations(caller.client.application):
        assert operation.body is not None
        more = {"Authorization": f"Bearer {SECRET}"} if operation.audience.by == BRIDGE else {}
        body = {field: {"x": [1]} for (field, *_) in fields(operation.body)}
        with nothing_stored(world):
            answer = caller.call(method, rule.replace("<id:campaign_id>", "1"), body, **more)
        assert answer.status_code in {404, 422}, rule
