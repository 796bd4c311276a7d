"""The ledger: who is written to, once, over which channel, and what an answer or its absence means."""

from tests.mutations.mutation import Mutation

RULES, TRIES, HANDLERS = (f"src/slomix/deliveries/{name}.py" for name in ("rules", "ledger", "handlers"))
ASKING, HISTORY = "src/slomix/deliveries/asking.py", "src/slomix/channels/discord_history.py"
ASKED = "tests/services/test_deliveries_asked.py"
BUDGET, BUDGETED = "src/slomix/deliveries/budget.py", "tests/workers/test_message_budget.py"
SERVICE, RETRYING = "src/slomix/deliveries/service.py", "src/slomix/deliveries/retrying.py"
SENT, CUT_OFF, FALLBACK = (
    f"tests/services/test_{name}.py" for name in ("deliveries", "deliveries_cut_off", "fallback")
)
PAUSED, LATE, RETRIED = (f"tests/services/test_{name}.py" for name in ("paused_sending", "late_answers", "retrying"))
JUDGED = "tests/rules/test_delivery_rules.py"

MUTATIONS = (
    Mutation(
        "a message leaves before the ledger says so",
        TRIES,
        'changes: dict[str, object] = {"status": DeliveryStatus.SENDING}',
        'changes: dict[str, object] = {"status": DeliveryStatus.PENDING}',
        (f"{SENT}::test_the_row_says_sending_before_the_message_leaves",),
    ),
    Mutation(
        "a sent message is never settled",
        TRIES,
        '"settled_at": now if verdict.status.is_settled else None,',
        '"settled_at": None,',
        (f"{SENT}::test_a_delivery_is_sent_once_and_the_ledger_says_what_when_and_under_which_number",),
    ),
    Mutation(
        "a late answer overwrites what was begun anew",
        TRIES,
        'target.where(Delivery.status == DeliveryStatus.UNKNOWN, Delivery.nonce == bindparam("late_nonce"))',
        'target.where(Delivery.nonce == bindparam("late_nonce"))',
        (LATE,),
    ),
    Mutation(
        "a late answer is taken for that of another try",
        TRIES,
        'target.where(Delivery.status == DeliveryStatus.UNKNOWN, Delivery.nonce == bindparam("late_nonce"))',
        "target.where(Delivery.status == DeliveryStatus.UNKNOWN)",
        (LATE,),
    ),
    Mutation(
        "a delivery that is settled is sent again",
        HANDLERS,
        "        if delivery.status.is_settled:\n",
        "        if delivery.status is DeliveryStatus.SKIPPED:\n",
        (f"{SENT}::test_what_is_settled_does_not_leave_again_whatever_becomes_of_its_job",),
    ),
    Mutation(
        "a pause stops nothing",
        HANDLERS,
        "if seen.is_paused and not _is_expired(delivery, now):",
        "if seen.is_paused and _is_expired(delivery, now):",
        (f"{PAUSED}::test_a_worker_that_was_nudged_already_sends_nothing_and_loses_no_attempt",),
    ),
    Mutation(
        "what waits while sending is paused never expires",
        HANDLERS,
        "if seen.is_paused and not _is_expired(delivery, now):",
        "if seen.is_paused:",
        (f"{PAUSED}::test_what_waited_past_its_deadline_expires_also_while_paused",),
    ),
    Mutation(
        "a message leaves after its deadline",
        HANDLERS,
        "    return delivery.deadline_at is not None and now >= delivery.deadline_at",
        "    return delivery.deadline_at is not None and now < delivery.created_at",
        (f"{SENT}::test_a_message_that_could_not_leave_until_its_deadline_has_failed_with_the_last_error",),
    ),
    Mutation(
        "consent is not asked again when it is time to send",
        HANDLERS,
        "        if reason is not None:\n            return Skip(reason)\n",
        "",
        (f"{SENT}::test_each_recipient_is_looked_at_again_when_it_is_time_and_a_skip_has_its_reason",),
    ),
    Mutation(
        "whether a message is still wanted is not asked when it is time to send",
        HANDLERS,
        "    return NO_ROUTE if to is None and isinstance(message, Message) else message",
        '    return message if isinstance(message, Message) else Message("wanted")',
        (f"{SENT}::test_each_recipient_is_looked_at_again_when_it_is_time_and_a_skip_has_its_reason",),
    ),
    Mutation(
        "a repeat has other words than the first try",
        HANDLERS,
        'return replace(message, text=occasion.delivery.text or "")',
        'return replace(message, text=f"{message.text} ")',
        (f"{CUT_OFF}::test_a_message_that_never_arrived_is_repeated_as_it_was",),
    ),
    Mutation(
        "of two messages at once both are the last that the day allows",
        BUDGET,
        "    session.execute(select(func.pg_advisory_xact_lock(_LOCKS + delivery.player_id)))\n",
        "",
        (f"{BUDGETED}::test_of_two_workers_only_one_sends_the_fifth",),
    ),
    Mutation(
        "a message that may have arrived counts for nothing",
        BUDGET,
        "_LEFT = (DeliveryStatus.SENDING, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)",
        "_LEFT = (DeliveryStatus.SENDING, DeliveryStatus.SENT)",
        (f"{BUDGETED}::test_what_may_have_arrived_counts",),
    ),
    Mutation(
        "what was held back is told by every later message",
        BUDGET,
        "            row.told_in = occasion.delivery.id\n",
        "",
        (f"{BUDGETED}::test_the_next_message_says_in_one_line_what_is_still_true_and_the_one_after_it_does_not",),
    ),
    Mutation(
        "an edit leaves while the change can still be undone",
        "src/slomix/availability/triggers.py",
        "        .values(run_at=now + UNDO_FOR)\n",
        "        .values(run_at=now)\n",
        ("tests/workers/test_edited_messages.py::test_nothing_is_edited_that_can_still_be_undone",),
    ),
    Mutation(
        "a repeat goes to who does not want it any more",
        HANDLERS,
        "if is_repeat and (not isinstance(message, Message) or not may_repeat):",
        "if is_repeat and not may_repeat:",
        (f"{CUT_OFF}::test_who_does_not_want_it_any_more_gets_no_repeat_and_the_ledger_learns_that_it_arrived",),
    ),
    Mutation(
        "what cannot be read is taken for what is not there",
        RULES,
        "        case None if is_expired:",
        "        case SendError():\n            return Verdict(DeliveryStatus.PENDING, Done(), unanswered)\n"
        "        case None if is_expired:",
        (f"{CUT_OFF}::test_what_cannot_be_read_is_asked_again_until_the_deadline_and_is_then_unknown",),
    ),
    Mutation(
        "what is not there leaves anew under its old nonce",
        TRIES,
        '        changes["nonce"] = service.new_nonce()',
        "        pass",
        (f"{CUT_OFF}::test_what_is_not_there_leaves_anew_with_a_new_nonce_and_new_words",),
    ),
    Mutation(
        "Discord is asked before the last try had its time to arrive",
        ASKING,
        "    if wall < last_tried_at + rules.ASK_AFTER:",
        "    if wall < last_tried_at:",
        (f"{CUT_OFF}::test_nobody_is_asked_before_the_last_try_had_its_time_to_arrive",),
    ),
    Mutation(
        "a worker beyond its lease still sends",
        HANDLERS,
        "if prepared.lease_until is not None and wall_now() >= prepared.lease_until:",
        "if prepared.lease_until is None and wall_now() >= prepared.first_tried_at:",
        (f"{CUT_OFF}::test_a_worker_that_was_stopped_beyond_its_lease_sends_nothing_any_more",),
    ),
    Mutation(
        "a room that nobody may read is taken for an empty one",
        HISTORY,
        "        if allowed & MAY_READ != MAY_READ:",
        "        if not allowed:",
        (ASKED,),
    ),
    Mutation(
        "a message carries no mark",
        "src/slomix/deliveries/marks.py",
        "    if history_of(runtime, name) is None or",
        "    if history_of(runtime, name) is not None or",
        (ASKED,),
    ),
    Mutation(
        "Discord's error of a gateway is taken for a refusal",
        "src/slomix/channels/discord_answers.py",
        "    if status >= 500 and status not in NOT_ACCEPTED:",
        "    if status >= 600:",
        ("tests/channels/test_discord.py",),
    ),
    Mutation(
        "Telegram's error of a gateway is taken for a refusal",
        "src/slomix/channels/telegram.py",
        "        if code >= 500 and not (is_own and code in OWN_ERRORS):",
        "        if code >= 600:",
        ("tests/channels/test_telegram.py",),
    ),
    Mutation(
        "Signal's error of a gateway is taken for a refusal",
        "src/slomix/channels/signal.py",
        "        if code >= 500 and not (is_own and code in OWN_ERRORS):",
        "        if code >= 600:",
        ("tests/channels/test_signal.py",),
    ),
    Mutation(
        "a message without an answer is repeated for ever",
        RULES,
        "    return wall - first_tried_at < repeatable_for",
        "    return wall >= first_tried_at",
        (f"{JUDGED}::test_a_try_without_an_answer_may_be_repeated_within_the_nonces_window",),
    ),
    Mutation(
        "no answer is taken for a failure",
        RULES,
        "is_open = is_repeat or isinstance(answer, Unanswered)",
        "is_open = is_repeat",
        (f"{JUDGED}::test_an_answer_decides_what_became_of_the_message",),
    ),
    Mutation(
        "a repeat that is refused is taken for the first try",
        RULES,
        "is_open = is_repeat or isinstance(answer, Unanswered)",
        "is_open = isinstance(answer, Unanswered)",
        (f"{JUDGED}::test_an_answer_decides_what_became_of_the_message",),
    ),
    Mutation(
        "being asked to wait uses up an attempt",
        RULES,
        "    is_free = isinstance(answer, SendError) and answer.is_free",
        "    is_free = False",
        (f"{JUDGED}::test_an_answer_decides_what_became_of_the_message",),
    ),
    Mutation(
        "a message that may have arrived is given up as failed",
        RULES,
        "    return DeliveryStatus.UNKNOWN if status is DeliveryStatus.SENDING else DeliveryStatus.FAILED",
        "    return DeliveryStatus.FAILED",
        (f"{JUDGED}::test_given_up_while_it_may_have_arrived_is_unknown_and_otherwise_failed",),
    ),
    Mutation(
        "a refusal for good takes no other channel",
        HANDLERS,
        "        if seen is not None and following is not None:\n            ledger.fall_back(",
        "        if seen is not None and following is None:\n            ledger.fall_back(",
        (f"{FALLBACK}::test_a_refusal_for_good_sends_the_same_notice_over_the_next_channel_once",),
    ),
    Mutation(
        "what may have arrived takes another channel too",
        HANDLERS,
        "            verdict.status is DeliveryStatus.FAILED\n            or",
        "            verdict.status in {DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN}\n            or",
        (f"{FALLBACK}::test_what_may_have_arrived_never_takes_another_way",),
    ),
    Mutation(
        "what is meant for one channel takes another",
        HANDLERS,
        "if seen.reachability is None or self._notices[seen.delivery.notice].keeps_channel:",
        "if seen.reachability is None:",
        (f"{FALLBACK}::test_what_is_meant_for_one_channel_takes_no_other",),
    ),
    Mutation(
        "a later campaign of the day tells twice who prefers another channel by then",
        SERVICE,
        'for row in rows if row.get("player_id") not in before]',
        "for row in rows]",
        (f"{FALLBACK}::test_who_prefers_another_channel_by_the_time_of_a_later_campaign_is_told_once",),
    ),
    Mutation(
        "a notice that is planned twice is opened again by its own campaign",
        SERVICE,
        "return row.subject != plan.subject and row.status in REOPENED",
        "return row.status in REOPENED",
        (f"{SENT}::test_what_a_campaign_skipped_it_does_not_open_again_itself",),
    ),
    Mutation(
        "what a campaign took back goes out",
        SERVICE,
        "    jobs.skip_pending(session, JOB_KIND, [str(delivery) for delivery in ids], "
        "reason=Reason.WITHDRAWN, now=now)\n",
        "",
        ("tests/services/test_campaigns.py::test_cancelled_nothing_goes_out_and_the_day_is_free_again",),
    ),
    Mutation(
        "the earlier tries of a message that is tried anew are known to the provider",
        RETRYING,
        "        row.nonce = service.new_nonce()\n",
        "",
        (f"{RETRIED}::test_what_failed_goes_out_again_with_another_nonce_and_what_arrived_does_not",),
    ),
    Mutation(
        "a message is tried anew after its deadline",
        RETRYING,
        "or_(Delivery.deadline_at.is_(None), Delivery.deadline_at > now),",
        "or_(Delivery.deadline_at.is_(None), Delivery.deadline_at <= now),",
        (f"{RETRIED}::test_after_its_deadline_nothing_is_tried_again",),
    ),
    Mutation(
        "a message is tried anew while a worker has it",
        RETRYING,
        "    return {int(job.subject) for job in held if job.status.is_over}",
        "    return {int(job.subject) for job in held}",
        (f"{RETRIED}::test_a_worker_that_is_at_it_is_left_alone",),
    ),
)
