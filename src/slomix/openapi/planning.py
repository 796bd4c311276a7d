"""`/api/planning/today`: tonight's planning room."""

from typing import Any

from slomix.openapi.parts import (
    ANYBODY,
    DAY,
    FROM_OUR_PAGE,
    ID,
    LOGGED_IN,
    MOMENT,
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
    maybe,
    one_of,
    problems,
    schema,
)

TAGS = ["Planning room"]
TODAY = "/api/planning/today"

SIDE = one_of("A", "B")
VERSION = a_text("Another one after every change of the teams.", pattern="^[0-9]+$")

TEAM = an_object(
    name=a_text("What most voted for, or Team A and Team B.", minLength=1),
    captain_id=maybe(ID),
    member_ids=a_list(ID, "In the order of the picks."),
)
ROOM_FIELDS: Part = {
    "date": DAY,
    "session_ready": a_flag("As many as it takes are LOOKING."),
    "unlocked": a_flag("The room can be opened, or is open."),
    "looking_count": a_number(),
    "committed_count": a_number(description="LOOKING or AVAILABLE."),
    "standby_count": a_number(description="MAYBE."),
    "threshold": a_number(1),
    "need_count": a_number(description="How many more have to commit until there are enough."),
    "participants": a_list(
        an_object(user_id=ID, name=a_text(), status=STATUS), "Empty for who may not see names. First come first."
    ),
    "session": maybe(schema("PlanningSession")),
}

SCHEMAS: Part = {
    "PlanningSession": an_object(
        "The open room.",
        id=ID,
        session_date=DAY,
        owner_id=maybe(ID),
        created_by_user_id=maybe(ID),
        discord_thread_id=maybe(a_text("The private thread of who is in, once there is one.")),
        version=VERSION,
        suggestions=a_list(
            an_object(
                id=ID,
                name=a_text(minLength=2, maxLength=48),
                suggested_by_user_id=maybe(ID),
                votes=a_number(),
                voted_by_me=a_flag(),
            ),
            "Those with most votes first.",
        ),
        my_vote_suggestion_id=maybe(ID),
        teams=an_object(A=TEAM, B=TEAM),
        draft=maybe(
            an_object(
                "A draft is under way: whose pick it is, and until when.",
                side=SIDE,
                captain_id=maybe(ID),
                until=maybe(MOMENT),
            )
        ),
    ),
    "PlanningRoom": an_object("Tonight, as the viewer may see it.", **ROOM_FIELDS),
    "OpenedRoom": an_object(created=a_flag("False where it was open already."), **ROOM_FIELDS),
    "NewSuggestion": an_object(suggestion_id=ID, **ROOM_FIELDS),
}

STATE = an_answer("The room as it stands now.", schema("PlanningRoom"))


def _write(operation: str, summary: str, description: str, answers: Part, body: Part | None = None) -> Part:
    call: Part = {
        "operationId": operation,
        "tags": TAGS,
        "summary": summary,
        "description": description,
        "security": LOGGED_IN,
        "parameters": [*FROM_OUR_PAGE],
        "responses": answers,
    }
    return call | ({"requestBody": body} if body is not None else {})


def _optional(body: Part) -> Part:
    return body | {"required": False}


IDS: dict[str, Any] = {"side_a": ["3", "12"], "side_b": ["5", "4"]}

PATHS: Part = {
    TODAY: {
        "get": {
            "operationId": "readRoom",
            "tags": TAGS,
            "summary": "Tonight's planning room",
            "description": "Numbers for everybody; names, and the room itself, for linked players.",
            "security": ANYBODY,
            "responses": {"200": STATE} | problems(),
        }
    },
    f"{TODAY}/create": {
        "post": _write(
            "openRoom",
            "Open the room",
            "Once as many are LOOKING as it takes. There is one a day, whoever asks, and its owner is who opened it.",
            {
                "200": an_answer("It was open already.", schema("OpenedRoom")),
                "201": an_answer("It is open.", schema("OpenedRoom")),
            }
            | problems(401, 403, 409),
        )
    },
    f"{TODAY}/join": {
        "post": _write(
            "joinRoom",
            "Be in tonight",
            "Who has said nothing is LOOKING from now on. MAYBE and NOT_PLAYING change only for who is `sure`.",
            {"200": STATE} | problems(400, 401, 403, 404, 409, 413, 422),
            _optional(
                a_body(an_object(optional={"sure": a_flag("Change MAYBE or NOT_PLAYING to LOOKING.")}), sure=True)
            ),
        )
    },
    f"{TODAY}/suggestions": {
        "post": _write(
            "suggestName",
            "Suggest a name for a team",
            "For those who are in. Three each; names that differ in nothing but case are one.",
            {"201": an_answer("Suggested.", schema("NewSuggestion"))} | problems(*WRITE, 404, 409),
            a_body(an_object(name=a_text("2 to 48 characters.")), name="Red Devils"),
        )
    },
    f"{TODAY}/suggestions/{{name_id}}": {
        "delete": _write(
            "deleteSuggestion",
            "Delete one's own suggestion",
            "Who manages the room may delete any. Its votes go with it.",
            {"200": STATE} | problems(401, 403, 404),
        )
        | {"parameters": [*FROM_OUR_PAGE, in_path("name_id", ID, "The id of the suggestion.")]}
    },
    f"{TODAY}/vote": {
        "post": _write(
            "voteForName",
            "Vote for a name",
            "For those who are in. One vote each: another one replaces it, and null takes it back.",
            {"200": STATE} | problems(*WRITE, 404),
            a_body(an_object(suggestion_id=maybe(ID)), suggestion_id="7"),
        )
    },
    f"{TODAY}/teams": {
        "post": _write(
            "saveTeams",
            "Save both teams",
            "For the owner and promoters. Both teams at once, in place of those that are there; all of it or nothing.",
            {"200": STATE} | problems(*WRITE, 404, 409),
            a_body(
                an_object(
                    side_a=a_list(ID) | {"maxItems": 200},
                    side_b=a_list(ID) | {"maxItems": 200},
                    optional={
                        "captain_a": maybe(ID),
                        "captain_b": maybe(ID),
                        "version": maybe(
                            VERSION | {"description": "Save only if the teams are still of this version."}
                        ),
                    },
                ),
                **IDS,
            ),
        )
    },
}
