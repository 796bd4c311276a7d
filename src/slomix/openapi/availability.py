"""`/api/availability`: who plays when."""

from slomix.openapi.parts import (
    ANYBODY,
    DAY,
    FROM_OUR_PAGE,
    ID,
    LOGGED_IN,
    STATUS,
    WRITE,
    Part,
    a_body,
    a_flag,
    a_list,
    a_number,
    a_text,
    an_answer,
    an_object,
    in_path,
    in_query,
    maybe,
    problems,
    schema,
)

TAGS = ["Availability"]

_PEOPLE = a_list(an_object(user_id=ID, name=a_text()), "In the order of the queue.")

SCHEMAS: Part = {
    "Access": an_object(
        "What the viewer may do.",
        authenticated=a_flag(),
        linked_discord=a_flag("Linked to a player, and still a member of our server."),
        can_submit=a_flag(),
        is_admin=a_flag(),
        can_promote=a_flag(),
    ),
    "Counts": an_object(
        "How many said what.",
        LOOKING=a_number(),
        AVAILABLE=a_number(),
        MAYBE=a_number(),
        NOT_PLAYING=a_number(),
    ),
    "Day": an_object(
        date=DAY,
        counts=schema("Counts"),
        total=a_number(),
        optional={
            "my_status": maybe(STATUS) | {"description": "What the viewer said; only for who is linked."},
            "users_by_status": an_object(
                "Who said what; only for who is linked and asked for it.",
                LOOKING=_PEOPLE,
                AVAILABLE=_PEOPLE,
                MAYBE=_PEOPLE,
                NOT_PLAYING=_PEOPLE,
            ),
        },
    ),
    "SessionReady": an_object(
        "Whether enough people are looking today, whatever days were asked for.",
        date=DAY,
        ready=a_flag(),
        looking_count=a_number(),
        threshold=a_number(1),
        event_key=a_text(
            "The same for as long as it is the same event.",
            pattern="^SESSION_READY:[0-9]{4}-[0-9]{2}-[0-9]{2}:threshold=[0-9]+$",
        ),
    ),
}

PATHS: Part = {
    "/api/availability/access": {
        "get": {
            "operationId": "readAccess",
            "tags": TAGS,
            "summary": "What the viewer may do",
            "security": ANYBODY,
            "responses": {"200": an_answer("Also for strangers.", schema("Access"))} | problems(),
        }
    },
    "/api/availability": {
        "get": {
            "operationId": "readDays",
            "tags": TAGS,
            "summary": "Counts per day; names when asked for by somebody linked",
            "security": ANYBODY,
            "parameters": [
                in_query("from", DAY, "The first day; without it, today."),
                in_query("to", DAY, "The last day, at most 179 days after the first; without it, 60 days after."),
                in_query("include_users", a_flag(), "Names too: `1`, `true` or `yes`. Only heeded for who is linked."),
            ],
            "responses": {
                "200": an_answer(
                    "Every day of the span, in order.",
                    an_object(days=a_list(schema("Day")), session_ready=schema("SessionReady")),
                )
            }
            | problems(422),
        },
        "post": {
            "operationId": "setStatus",
            "tags": TAGS,
            "summary": "Set the viewer's status for a day from today to 90 days ahead",
            "description": "Saying the same twice changes nothing.",
            "security": LOGGED_IN,
            "parameters": FROM_OUR_PAGE,
            "requestBody": a_body(an_object(date=DAY, status=STATUS), date="2026-11-20", status="LOOKING"),
            "responses": {"200": an_answer("It is set.", an_object(date=DAY, status=STATUS, counts=schema("Counts")))}
            | problems(*WRITE),
        },
    },
    "/api/availability/{day}": {
        "delete": {
            "operationId": "clearStatus",
            "tags": TAGS,
            "summary": "Take the viewer's status for a day back",
            "security": LOGGED_IN,
            "parameters": [in_path("day", DAY, "From today to 90 days ahead."), *FROM_OUR_PAGE],
            "responses": {
                "200": an_answer(
                    "There is none now.", an_object(date=DAY, cleared=a_flag("Whether there was one before."))
                )
            }
            | problems(401, 403, 422),
        }
    },
    "/api/availability/me": {
        "get": {
            "operationId": "readMine",
            "tags": TAGS,
            "summary": "What the viewer said about the days that can still be changed",
            "security": LOGGED_IN,
            "responses": {
                "200": an_answer(
                    "Empty for who is not linked.", an_object(entries=a_list(an_object(date=DAY, status=STATUS)))
                )
            }
            | problems(401),
        }
    },
}
