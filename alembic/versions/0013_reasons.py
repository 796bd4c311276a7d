"""Reasons are stored as codes with their technical details, no longer as the sentences that people read.

An unknown sentence, such as one of an earlier version, becomes `other` with itself as the detail. Both ways
every row is rewritten once, by an expression without a look elsewhere, and `downgrade` brings back every sentence as it
was. Processes of the version before cannot write these columns: stop them first.

Revision: 0013
Revises: 0012
"""

import json

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COLUMNS = {
    "contacts": ("unusable_reason", "last_error"),
    "jobs": ("reason", "last_error"),
    "notifications_ledger": ("reason",),
    "delivery_attempts": ("error",),
    "planning_threads": ("error",),
}

# Each code with its sentence; % stands for the detail.
SENTENCES = {
    "not_linked": "not linked",
    "left_our_server": "left our Discord server",
    "not_opted_in": "not opted in",
    "no_working_contact": "no working contact",
    "quiet_hours": "quiet hours",
    "has_answered": "has answered already",
    "status_cleared": "cleared their status",
    "not_playing": "not playing",
    "already_in_voice": "already in voice",
    "not_so_many_any_more": "not so many are looking any more",
    "enough_by_now": "there are enough by now",
    "picked_in_time": "picked in time",
    "nobody_picked": "nobody was picked",
    "no_members_known": "nobody knows who is in our Discord server",
    "voice_not_known": "nobody knows who is in voice",
    "voice_no_longer_known": "nobody knows any more who is in voice",
    "too_late": "too late",
    "expired": "expired",
    "switched_off": "switched off",
    "withdrawn": "cancelled",
    "cancelled_by_operator": "cancelled by an operator",
    "evening_is_over": "the evening is over",
    "danger_is_over": "the danger is over",
    "nobody_was_told": "nobody was told",
    "nobody_left_to_tell": "there is nobody left to tell",
    "told_there": "told by the earlier site",
    "already": "already %",
    "no_try_left": "no try was left",
    "answer_not_seen": "the answer was not seen",
    "worker_did_not_come_back": "the worker did not come back",
    "unreadable": "we can no longer read this address; please link it again",
    "discord_not_reached": "Discord cannot be reached (%)",
    "discord_did_not_answer": "Discord did not answer (%)",
    "discord_too_slow": "Discord takes too long to answer",
    "discord_is_busy": "Discord asks us to slow down (429)",
    "dms_closed": "this person's DMs are closed to the bot",
    "discord_said": "Discord: %",
    "discord_answered": "Discord answered %",
    "telegram_not_reached": "Telegram cannot be reached (%)",
    "telegram_did_not_answer": "Telegram did not answer (%)",
    "telegram_is_busy": "Telegram asks us to slow down (429)",
    "telegram_blocked": "the bot is blocked there",
    "telegram_chat_gone": "the Telegram chat is gone",
    "telegram_said": "Telegram: %",
    "signal_not_reached": "Signal cannot be reached (%)",
    "signal_did_not_answer": "Signal did not answer (%)",
    "signal_is_busy": "Signal asks us to slow down",
    "signal_challenge": "Signal wants an operator to prove that we are no robot",
    "signal_unknown_number": "Signal does not know this number",
    "signal_said": "Signal: %",
    "not_e164": "this is not a phone number with its country code",
}
# Their detail is all there is to say.
VERBATIM = ("crashed", "other")
# What may follow another reason, after a semicolon. Only after `voice_not_known` comes a colon, and what Discord said.
PROVIDERS = ("discord_", "telegram_", "signal_")
FOLLOWING = [text for code, text in SENTENCES.items() if "%" not in text and not code.startswith(PROVIDERS)]


def upgrade() -> None:
    codes = json.dumps([*SENTENCES, *VERBATIM])
    _define("explained_one", "text", "jsonb", _explained_one())
    _define("explained", "text", "jsonb", _explained())
    for table, columns in COLUMNS.items():
        _alter(table, columns, "jsonb", "explained")
        for column in columns:
            known = (
                f"jsonb_path_exists({column}, '$.code') AND jsonb_path_query_array({column}, '$.**.code') <@ '{codes}'"
            )
            op.create_check_constraint(f"{column}_known", table, known)


def downgrade() -> None:
    _define("sentence_one", "jsonb", "text", _sentence_one())
    _define("sentence", "jsonb", "text", _sentence())
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_constraint(f"{column}_known", table, type_="check")
        _alter(table, columns, "text", "sentence")


def _define(name: str, takes: str, returns: str, value: str) -> None:
    """Make a function that is gone with the migration's connection."""
    op.execute(
        f"CREATE OR REPLACE FUNCTION pg_temp.{name}({takes}) RETURNS {returns} LANGUAGE plpgsql IMMUTABLE STRICT"
        f" AS $$ BEGIN RETURN {value}; END $$"
    )


def _alter(table: str, columns: tuple[str, ...], kind: str, using: str) -> None:
    changes = (f"ALTER {column} TYPE {kind} USING pg_temp.{using}({column})" for column in columns)
    op.execute(f"ALTER TABLE {table} {', '.join(changes)}")


def _explained_one() -> str:
    """The code and the detail of a sentence."""
    plain = _json({sentence: code for code, sentence in SENTENCES.items() if "%" not in sentence})
    cases = [f"WHEN {plain} ? $1 THEN jsonb_build_object('code', {plain} -> $1)"]
    for code, sentence in SENTENCES.items():
        before, blank, after = sentence.partition("%")
        if blank:
            detail = f"substr($1, {len(before) + 1}, length($1) - {len(before) + len(after)})"
            cases.append(
                f"WHEN $1 LIKE {_quoted(sentence)} THEN jsonb_build_object('code', '{code}', 'detail', {detail})"
            )
    return f"CASE {' '.join(cases)} ELSE jsonb_build_object('code', 'other', 'detail', $1) END"


def _explained() -> str:
    """The same where a second one follows."""
    opening = SENTENCES["voice_not_known"] + ": "
    last = "substring($1 from '; ([^;]+)$')"
    return (
        f"CASE WHEN starts_with($1, {_quoted(opening)}) THEN jsonb_build_object('code', 'voice_not_known')"
        f" || jsonb_build_object('then', pg_temp.explained_one(substr($1, {len(opening) + 1})))"
        f" WHEN {_json(FOLLOWING)} ? {last} THEN pg_temp.explained_one(left($1, -2 - length({last})))"
        f" || jsonb_build_object('then', pg_temp.explained_one({last}))"
        f" ELSE pg_temp.explained_one($1) END"
    )


def _sentence_one() -> str:
    """What people read of a code and its detail."""
    parts = {code: sentence.partition("%")[::2] for code, sentence in SENTENCES.items()}
    around = f"({_json(parts | dict.fromkeys(VERBATIM, ('', '')))} -> ($1 ->> 'code'))"
    return f"({around} ->> 0) || coalesce($1 ->> 'detail', '') || ({around} ->> 1)"


def _sentence() -> str:
    """The same with those that follow; more than three in a row are never stored."""
    said = "pg_temp.sentence_one($1)"
    for before, path in (("{code}", "{then}"), ("{then,code}", "{then,then}")):
        between = f"CASE WHEN $1 #>> '{before}' = 'voice_not_known' THEN ': ' ELSE '; ' END"
        said += f" || coalesce({between} || pg_temp.sentence_one($1 #> '{path}'), '')"
    return said


def _json(value: object) -> str:
    return f"{_quoted(json.dumps(value))}::jsonb"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
