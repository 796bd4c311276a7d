"""`/api/availability`: a player's own settings, preferences and addresses."""

from slomix.openapi.parts import (
    BRIDGE,
    COUNTED,
    FROM_OUR_PAGE,
    LINKED_CHANNEL,
    LOGGED_IN,
    MOMENT,
    TIME,
    WRITE,
    ZONE,
    Part,
    a_body,
    a_flag,
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

TAGS = ["Settings and addresses"]

_SETTINGS: Part = {
    "sound_enabled": a_flag("Whether an open page plays a sound when enough people are looking."),
    "sound_cooldown_seconds": a_number(30, 3600, "How long it is silent after it did."),
    "timezone": ZONE,
}
_PREFERENCES: Part = {
    "allow_promotions": a_flag("Be called by a promoter's campaign."),
    "session_ready": a_flag("Hear when enough people are looking."),
    "daily_reminder": a_flag("Be asked once a day who has said nothing yet."),
    "more_needed": a_flag("Be mentioned on Discord when the room of tonight needs more players."),
    "looking_threshold": a_number(0, 99, "Hear when so many are looking; 0 is off."),
    "preferred_channel": one_of("any", "discord", "telegram", "signal"),
    "quiet_hours": maybe(
        an_object("From start until before end, over midnight if the start is later.", start=TIME, end=TIME)
    ),
    "timezone": ZONE,
}

SCHEMAS: Part = {
    "Settings": an_object(**_SETTINGS),
    "Preferences": an_object(**_PREFERENCES),
}

PATHS: Part = {
    "/api/availability/settings": {
        "get": {
            "operationId": "readSettings",
            "tags": TAGS,
            "summary": "The ready sound, and the zone that times are meant in",
            "security": LOGGED_IN,
            "responses": {"200": an_answer("What holds now.", schema("Settings"))} | problems(401, 403),
        },
        "post": {
            "operationId": "changeSettings",
            "tags": TAGS,
            "summary": "Change the ready sound or the zone; a field left out stays as it was",
            "security": LOGGED_IN,
            "parameters": FROM_OUR_PAGE,
            "requestBody": a_body(an_object(optional=_SETTINGS), sound_enabled=True),
            "responses": {"200": an_answer("What holds now.", schema("Settings"))} | problems(*WRITE),
        },
    },
    "/api/availability/promotion-preferences": {
        "get": {
            "operationId": "readPreferences",
            "tags": TAGS,
            "summary": "What the viewer wants to hear; whoever has no player hears nothing",
            "security": LOGGED_IN,
            "responses": {"200": an_answer("What holds now.", schema("Preferences"))} | problems(401),
        },
        "post": {
            "operationId": "changePreferences",
            "tags": TAGS,
            "summary": "Change what is sent; a field left out stays as it was",
            "description": "Switching on is for linked players, switching off for everybody logged in.",
            "security": LOGGED_IN,
            "parameters": FROM_OUR_PAGE,
            "requestBody": a_body(
                an_object(optional=_PREFERENCES), allow_promotions=True, quiet_hours={"start": "23:00", "end": "07:00"}
            ),
            "responses": {"200": an_answer("What holds now.", schema("Preferences"))} | problems(*WRITE),
        },
    },
    "/api/availability/link-token": {
        "post": {
            "operationId": "makeLinkToken",
            "tags": TAGS,
            "summary": "A code to send from the chat that is to be linked",
            "description": "It is shown this once. The one before it is worth nothing from now on.",
            "security": LOGGED_IN,
            "parameters": FROM_OUR_PAGE,
            "requestBody": a_body(
                an_object(
                    channel_type=LINKED_CHANNEL,
                    optional={"ttl_minutes": maybe(a_number(5, 120, "How long it lives; without it, 30 minutes."))},
                ),
                channel_type="telegram",
            ),
            "responses": {
                "201": an_answer(
                    "The code.",
                    an_object(token=a_text(minLength=16), channel_type=LINKED_CHANNEL, expires_at=MOMENT),
                )
            }
            | problems(*WRITE, 429),
        }
    },
    "/api/availability/link-confirm": {
        "post": {
            "operationId": "confirmLink",
            "tags": TAGS,
            "summary": "For a bridge of the operator's: this code came from this address",
            "description": "60 calls a minute from one address.",
            "security": BRIDGE,
            "requestBody": a_body(
                an_object(
                    channel_type=LINKED_CHANNEL,
                    token=a_text("The code, as it came."),
                    channel_address=a_text(
                        "On Signal a number such as +38640123456, on Telegram the private chat's id."
                    ),
                ),
                channel_type="telegram",
                token="the-code-that-was-shown",
                channel_address="123456789",
            ),
            "responses": {
                "200": an_answer(
                    "They are linked.",
                    an_object(channel_type=LINKED_CHANNEL, verified={"const": True}),
                    headers=COUNTED,
                )
            }
            | problems(400, 401, 404, 409, 413, 422, 429),
        }
    },
    "/api/availability/subscriptions/{channel}": {
        "delete": {
            "operationId": "removeAddress",
            "tags": TAGS,
            "summary": "Forget the address on this channel; Discord's goes with the account",
            "security": LOGGED_IN,
            "parameters": [in_path("channel", LINKED_CHANNEL, "Which."), *FROM_OUR_PAGE],
            "responses": {
                "200": an_answer(
                    "There is none now.",
                    an_object(channel_type=LINKED_CHANNEL, removed=a_flag("Whether there was one before.")),
                )
            }
            | problems(401, 403, 422),
        }
    },
}
