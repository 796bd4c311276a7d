"""The words in which the description is written, and the answers that many calls share."""

from typing import Any

from slomix import words

Part = dict[str, Any]

PROBLEM = "application/problem+json"


def an_object(description: str = "", *, optional: Part | None = None, **required: Part) -> Part:
    """An object that has these fields and no others."""
    fields = {"properties": required | (optional or {}), "required": list(required), "additionalProperties": False}
    return {"type": "object"} | ({"description": description} if description else {}) | fields


def a_body(schema: Part, **example: Any) -> Part:
    """What a call takes. It reads the fields it knows; what else is in the object is not looked at."""
    taken = {name: value for name, value in schema.items() if name != "additionalProperties"}
    return {"required": True, "content": {"application/json": {"schema": taken, "example": example}}}


def an_answer(description: str, schema: Part, **more: Part) -> Part:
    return {"description": description, "content": {"application/json": {"schema": schema}}} | more


def a_list(items: Part, description: str = "") -> Part:
    return {"type": "array", "items": items} | ({"description": description} if description else {})


def a_text(description: str = "", **more: Any) -> Part:
    return {"type": "string"} | ({"description": description} if description else {}) | more


def one_of(*values: str, description: str = "") -> Part:
    return a_text(description, enum=list(values))


def a_flag(description: str = "") -> Part:
    return {"type": "boolean"} | ({"description": description} if description else {})


def a_number(lowest: int = 0, highest: int | None = None, description: str = "") -> Part:
    limits = {"minimum": lowest} | ({"maximum": highest} if highest is not None else {})
    return {"type": "integer"} | limits | ({"description": description} if description else {})


def maybe(schema: Part) -> Part:
    """That, or null."""
    if "enum" in schema:
        return schema | {"type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    return {"anyOf": [schema, {"type": "null"}]}


def ref(kind: str, name: str) -> Part:
    return {"$ref": f"#/components/{kind}/{name}"}


def schema(name: str) -> Part:
    return ref("schemas", name)


def in_query(name: str, schema: Part, description: str) -> Part:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def in_path(name: str, schema: Part, description: str) -> Part:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def in_header(name: str, schema: Part, description: str, *, required: bool = False) -> Part:
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


DAY = a_text(format="date", examples=["2026-11-20"])
MOMENT = a_text(format="date-time", examples=["2026-11-20T20:00:00+00:00"])
TIME = a_text(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["20:45"])
ZONE = a_text("A name of the IANA time zone database.", format="time-zone", examples=["Europe/Ljubljana"])
ID = a_text("An id. It is a text, since numbers of that size do not survive JavaScript.", pattern="^[1-9][0-9]*$")
STATUS = one_of("LOOKING", "AVAILABLE", "MAYBE", "NOT_PLAYING")
CHANNEL = one_of("discord", "telegram", "signal")
LINKED_CHANNEL = one_of("telegram", "signal", description="A channel whose address is proved by a code.")

# Who writes. The browser sends the origin by itself; a Referer of ours stands in where it does not.
FROM_OUR_PAGE = [ref("parameters", "RequestedWith"), ref("parameters", "Origin")]

PARAMETERS: Part = {
    "RequestedWith": in_header(
        "X-Requested-With",
        a_text(const="XMLHttpRequest"),
        "Shows that a script of ours sent this, not a form of another site.",
        required=True,
    ),
    "Origin": in_header(
        "Origin",
        a_text(format="origin", examples=["http://127.0.0.1:7000"]),
        "The origin under which Slomix itself is reached.",
        required=True,
    ),
    "IdempotencyKey": in_header(
        "Idempotency-Key",
        a_text(maxLength=200),
        "The same key from the same promoter is the same submit: it is answered with the first campaign.",
    ),
}

ANYBODY: list[Part] = [{}, {"session": []}]
LOGGED_IN: list[Part] = [{"session": []}]
BRIDGE: list[Part] = [{"bridge": []}]


def security_schemes(cookie: str) -> Part:
    """`cookie` is the name that this installation gave its session."""
    return {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "The session that a login with Discord begins. What it may do is looked up at every call.",
        },
        "bridge": {
            "type": "http",
            "scheme": "bearer",
            "description": "`INTERNAL_API_SECRET`, for the operator's bridge.",
        },
    }


RETRY_AFTER: Part = {"description": "Seconds to wait.", "required": True, "schema": a_number()}
# Told with every answer of a call that is counted.
COUNTED: Part = {
    "X-RateLimit-Limit": {"description": "How many calls an address has in a minute.", "schema": a_number(1)},
    "X-RateLimit-Remaining": {"description": "How many of them are left.", "schema": a_number()},
    "X-RateLimit-Reset": {"description": "When the count begins anew, in seconds since 1970.", "schema": a_number()},
}


def _problem(status: int, description: str, **headers: Part) -> Part:
    told = {"status": {"const": status}, "title": {"const": words.TITLES[status]}}
    answer: Part = {
        "description": description,
        "content": {PROBLEM: {"schema": {"allOf": [schema("Problem"), {"properties": told}]}}},
    }
    return answer | ({"headers": headers} if headers else {})


RESPONSES: Part = {
    "NoObject": _problem(400, "The body is no JSON object."),
    "NotLoggedIn": _problem(401, "Nobody is logged in, or the bridge does not know the secret."),
    "NotAllowed": _problem(
        403, "Not linked to a player, no promoter, or a write that did not come from a page of Slomix."
    ),
    "NotFound": _problem(404, "There is no such thing, or not for this person."),
    "WrongMethod": _problem(
        405,
        "This address does not work that way.",
        Allow={"description": "The methods that do.", "required": True, "schema": a_text()},
    ),
    "Conflict": _problem(409, "What is already there stands against it."),
    "TooLarge": _problem(413, "A body of more than 64 KiB."),
    "Invalid": _problem(422, "The input makes no sense; the sentence says what is wrong with it."),
    "TooOften": _problem(429, "The same was asked for a moment ago.", **{"Retry-After": RETRY_AFTER}),
    "Unavailable": _problem(503, "Somebody we depend on does not answer, or this installation does not have it."),
}
_NAMES = dict(zip((400, 401, 403, 404, 405, 409, 413, 422, 429, 503), RESPONSES, strict=True))


def problems(*statuses: int) -> Part:
    """The errors a call can answer; that the database is away can happen to all of them."""
    return {str(status): ref("responses", _NAMES[status]) for status in (*statuses, 503)}


# What any call with a JSON body from one of our pages can get wrong.
WRITE = (400, 401, 403, 413, 422)

PROBLEM_SCHEMA = an_object(
    "An error as a person can read it (RFC 9457).",
    title=a_text("A few words, the same for every error of this status.", minLength=1),
    status=a_number(400, 599, "The status of the answer once more."),
    detail=a_text("A sentence to show.", minLength=1),
)
