"""`/api/availability/promotions`: calling an evening together."""

from slomix.openapi.parts import (
    CHANNEL,
    DAY,
    FROM_OUR_PAGE,
    ID,
    LOGGED_IN,
    MOMENT,
    STATUS,
    TIME,
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
    one_of,
    problems,
    ref,
    schema,
)

TAGS = ["Campaigns"]

JOB_TYPES = ("send_reminder_2045", "send_start_2100", "voice_check_2100")
CAMPAIGN_STATUS = one_of("scheduled", "running", "sent", "partial", "failed", "followup_sent", "cancelled")
JOB_STATUS = one_of("pending", "running", "sent", "skipped", "failed")

SCHEMAS: Part = {
    "ChannelsSummary": {
        "type": "object",
        "description": "How many are reached on which channel first; a channel nobody is reached on may be left out.",
        "propertyNames": CHANNEL,
        "additionalProperties": a_number(),
    },
    "Preview": an_object(
        "Who would be asked now, and who of the audience not.",
        campaign_date=DAY,
        recipient_count=a_number(),
        channels_summary=schema("ChannelsSummary"),
        recipients_preview=a_list(
            an_object(user_id=ID, display_name=a_text(), status=STATUS, selected_channel=CHANNEL)
        ),
        left_out=a_list(
            an_object(user_id=ID, display_name=a_text(), status=STATUS, reason=a_text("A few words.", minLength=1))
        ),
    ),
    "NewCampaign": an_object(
        campaign_id=ID,
        status=CAMPAIGN_STATUS,
        recipient_count=a_number(),
        dry_run=a_flag(),
        scheduled_times={
            "type": "object",
            "description": "When its jobs run. A dry run has none of them: it sends its promoter the words at once.",
            "properties": dict.fromkeys(JOB_TYPES, MOMENT),
            "additionalProperties": False,
        },
    ),
    "Campaign": an_object(
        "A campaign as aggregate: nobody learns here who was asked.",
        id=ID,
        status=CAMPAIGN_STATUS,
        recipient_count=a_number(),
        channels_summary=schema("ChannelsSummary"),
        jobs=a_list(
            an_object(
                job_type=one_of(*JOB_TYPES),
                run_at=MOMENT,
                status=JOB_STATUS,
                attempts=a_number(),
                max_attempts=a_number(1),
            )
        ),
    ),
}

PATHS: Part = {
    "/api/availability/promotions/preview": {
        "get": {
            "operationId": "previewCampaign",
            "tags": TAGS,
            "summary": "Who would be asked now",
            "description": "For promoters.",
            "security": LOGGED_IN,
            "parameters": [
                in_query(
                    "include_available", a_flag(), "Ask those who said AVAILABLE too: `1`, `true`, `yes` or `on`."
                ),
                in_query("include_maybe", a_flag(), "Ask those who said MAYBE too."),
                in_query("start", TIME, "When to start tonight; without it, the usual time."),
            ],
            "responses": {"200": an_answer("Nothing is sent.", schema("Preview"))} | problems(401, 403, 422),
        }
    },
    "/api/availability/promotions/campaigns": {
        "post": {
            "operationId": "createCampaign",
            "tags": TAGS,
            "summary": "Call tonight together",
            "description": "For promoters.",
            "security": LOGGED_IN,
            "parameters": [*FROM_OUR_PAGE, ref("parameters", "IdempotencyKey")],
            "requestBody": a_body(
                an_object(
                    optional={
                        "include_available": a_flag("Ask those who said AVAILABLE too."),
                        "include_maybe": a_flag("Ask those who said MAYBE too."),
                        "include_late_joiners": a_flag("Ask those too who say before the start that they play."),
                        "dry_run": a_flag("Send the words to the promoter alone, and now."),
                        "start": TIME | {"description": "When to start tonight; without it, the usual time."},
                    }
                ),
                include_available=True,
                dry_run=False,
            ),
            "responses": {
                "200": an_answer("The first campaign of the same submit.", schema("NewCampaign")),
                "201": an_answer("A new one.", schema("NewCampaign")),
            }
            | problems(*WRITE, 409),
        }
    },
    "/api/availability/promotions/campaigns/{campaign_id}/cancel": {
        "post": {
            "operationId": "cancelCampaign",
            "tags": TAGS,
            "summary": "Stop what has not gone out",
            "description": "For its promoter, and for admins who promote. There is no body.",
            "security": LOGGED_IN,
            "parameters": [in_path("campaign_id", ID, "Which."), *FROM_OUR_PAGE],
            "responses": {"200": an_answer("It is cancelled.", an_object(id=ID, status={"const": "cancelled"}))}
            | problems(401, 403, 404, 409),
        }
    },
    "/api/availability/promotions/campaigns/{campaign_id}/retry": {
        "post": {
            "operationId": "retryCampaign",
            "tags": TAGS,
            "summary": "Try once more what did not arrive",
            "description": (
                "For its promoter, and for admins who promote. Only while the messages would still be true; who cannot "
                "be reached anywhere is left out."
            ),
            "security": LOGGED_IN,
            "parameters": [in_path("campaign_id", ID, "Which."), *FROM_OUR_PAGE],
            "requestBody": a_body(
                an_object(
                    optional={
                        "unknown": a_flag(
                            "Instead of what failed, send what may have arrived already. It may arrive twice."
                        )
                    }
                ),
                unknown=False,
            ),
            "responses": {
                "200": an_answer("So many go out again.", an_object(id=ID, retried=a_number(1))),
            }
            | problems(*WRITE, 404, 409),
        }
    },
    "/api/availability/promotions/campaign": {
        "get": {
            "operationId": "readCampaign",
            "tags": TAGS,
            "summary": "The campaign of a day, as aggregate",
            "description": "For linked players.",
            "security": LOGGED_IN,
            "parameters": [in_query("date", DAY, "Without it, today.")],
            "responses": {
                "200": an_answer(
                    "The latest that is no dry run; a cancelled one only if there is no other.",
                    an_object(campaign=maybe(schema("Campaign"))),
                )
            }
            | problems(401, 403, 422),
        }
    },
}
