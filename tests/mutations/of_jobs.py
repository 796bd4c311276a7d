"""Jobs: who gets one, for how long, how often, and what becomes of one whose worker is gone."""

from tests.mutations.mutation import Mutation

SERVICE, RULES, RUNNER = "src/slomix/jobs/service.py", "src/slomix/jobs/rules.py", "src/slomix/jobs/runner.py"
JOBS, LOOKING = "tests/services/test_jobs.py", "tests/services/test_jobs_looking.py"
RUN, DECIDED = "tests/services/test_runner.py", "tests/rules/test_jobs_rules.py"

MUTATIONS = (
    Mutation(
        "a job is claimed although another worker has it",
        SERVICE,
        "        _ROW.status == JobStatus.PENDING,\n        _ROW.run_at",
        "        _ROW.status.in_([JobStatus.PENDING, JobStatus.RUNNING]),\n        _ROW.run_at",
        (f"{JOBS}::test_of_ten_workers_one_gets_the_job",),
    ),
    Mutation(
        "a job is claimed before its moment",
        SERVICE,
        '        _ROW.run_at <= bindparam("now"),',
        '        _ROW.created_at <= bindparam("now"),',
        (f"{JOBS}::test_nobody_gets_a_job_before_its_moment",),
    ),
    Mutation(
        "a job is claimed while its provider asked for patience",
        SERVICE,
        '_ROW.wait_until <= bindparam("wall")',
        '_ROW.wait_until >= bindparam("wall")',
        (f"{JOBS}::test_a_provider_that_asked_for_patience_gets_it_in_wall_time",),
    ),
    Mutation(
        "a claim is no attempt",
        SERVICE,
        "        attempts=_ROW.attempts + 1,",
        "        attempts=_ROW.attempts,",
        (f"{JOBS}::test_a_failed_try_comes_back_after_its_backoff_and_keeps_its_error",),
    ),
    Mutation(
        "a worker that lost its job writes its end all the same",
        SERVICE,
        '    ours = (_ROW.id == bindparam("job_id")) & (_ROW.claims == bindparam("held_claims"))',
        '    ours = (_ROW.id == bindparam("job_id")) & (_ROW.claims >= bindparam("held_claims"))',
        (f"{JOBS}::test_a_worker_whose_job_was_taken_back_writes_nothing",),
    ),
    Mutation(
        "a snooze uses up an attempt",
        SERVICE,
        "attempts = job.attempts - 1 if failures is None else failures",
        "attempts = job.attempts if failures is None else failures",
        (f"{JOBS}::test_a_snooze_uses_no_attempt_however_often",),
    ),
    Mutation(
        "a job is taken back while its lease lasts",
        SERVICE,
        "(Job.lease_until < wall)",
        "(Job.lease_until > wall)",
        (f"{JOBS}::test_a_job_is_taken_back_when_its_lease_has_run_out_and_not_before",),
    ),
    Mutation(
        "a job lost in its last attempt gets one more",
        SERVICE,
        ".where(lost, Job.attempts < Job.max_attempts)",
        ".where(lost, Job.attempts <= Job.max_attempts)",
        (f"{JOBS}::test_a_job_lost_in_its_last_attempt_has_failed_and_is_returned_once",),
    ),
    Mutation(
        "an unclaimed job is nudged again and again",
        SERVICE,
        "or_(Job.nudge_again_at.is_(None), Job.nudge_again_at <= wall),",
        "or_(Job.nudge_again_at.is_(None), Job.nudge_again_at >= wall),",
        (f"{JOBS}::test_an_unclaimed_job_is_nudged_again_after_2_4_8_seconds_and_then_every_minute",),
    ),
    Mutation(
        "two schedulers release a job twice",
        SERVICE,
        "        .with_for_update(skip_locked=True)\n",
        "",
        (f"{JOBS}::test_two_schedulers_at_once_release_each_job_once",),
    ),
    Mutation(
        "what is held is released at once",
        SERVICE,
        "or_(Job.kind.not_in(paused_kinds), Job.deadline_at <= now),",
        "or_(Job.kind.not_in(paused_kinds), Job.deadline_at >= now),",
        ("tests/services/test_paused_sending.py::test_nobody_is_nudged_and_the_scheduler_sleeps_until_the_deadline",),
    ),
    Mutation(
        "a job that is opened again keeps its used up attempts",
        SERVICE,
        "            attempts=0,\n            nudges=0,",
        "            nudges=0,",
        (f"{LOOKING}::test_a_finished_job_that_is_opened_again_has_all_its_attempts_before_it",),
    ),
    Mutation(
        "a running job is opened again",
        SERVICE,
        "Job.status.in_([s for s in JobStatus if s.is_over])",
        "Job.status.in_(list(JobStatus))",
        (f"{LOOKING}::test_a_job_that_is_not_over_is_not_opened_again",),
    ),
    Mutation(
        "a promise that is made twice fails",
        SERVICE,
        'insert(Job).on_conflict_do_nothing(constraint="uq_jobs_kind_subject")',
        "insert(Job)",
        (f"{JOBS}::test_the_same_promise_made_twice_is_one_job_as_it_was",),
    ),
    Mutation(
        "the backoff does not grow",
        RULES,
        "BACKOFF_GROWTH ** min(attempts - 1, 10)",
        "BACKOFF_GROWTH ** min(0, 10)",
        (f"{DECIDED}::test_backoff_grows_from_two_seconds_to_two_minutes",),
    ),
    Mutation(
        "a job is tried once more after its last attempt",
        RULES,
        "    if attempts >= max_attempts:",
        "    if attempts > max_attempts:",
        (f"{DECIDED}::test_the_last_attempt_is_the_end",),
    ),
    Mutation(
        "a job is tried at its deadline",
        RULES,
        "max(run_at, now + pause) >= deadline_at",
        "max(run_at, now + pause) > deadline_at",
        (f"{DECIDED}::test_nothing_is_tried_at_its_deadline_or_after_it",),
    ),
    Mutation(
        "a wait that was asked for outlives the deadline",
        RULES,
        "return None if deadline_at is not None and now + pause >= deadline_at else NextTry(now, wall + pause)",
        "return NextTry(now, wall + pause)",
        (f"{DECIDED}::test_a_wait_beyond_the_deadline_is_the_end",),
    ),
    Mutation(
        "an exception at the beginning uses up no attempt",
        RUNNER,
        "        return _begin_failed(runtime, handler, job_id, error)",
        "        return None",
        (f"{RUN}::test_an_exception_in_any_part_is_a_failed_attempt_with_its_words",),
    ),
    Mutation(
        "what hangs on a job that failed for good is left open",
        RUNNER,
        "    if status is JobStatus.FAILED and isinstance(outcome, Retry):",
        "    if status is JobStatus.FAILED and isinstance(outcome, Done):",
        (f"{RUN}::test_after_the_last_attempt_it_is_given_up_once_with_the_last_error",),
    ),
    Mutation(
        "a lost answer is not even looked at",
        RUNNER,
        "            _too_late(runtime, handler, job, result)\n",
        "",
        ("tests/services/test_late_answers.py::test_what_was_unknown_has_arrived_after_all",),
    ),
)
