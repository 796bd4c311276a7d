"""The rules: days, evenings, names, quiet hours, teams, presence, and the clock they all go by."""

from tests.mutations.mutation import Mutation

AVAILABILITY, CAMPAIGNS, CONTACTS, PLANNING, PRESENCE, ACCOUNTS = (
    f"src/slomix/{name}/rules.py"
    for name in ("availability", "campaigns", "contacts", "planning", "presence", "accounts")
)
BALANCE, LAYOUT, TEAMS = (f"src/slomix/planning/{name}.py" for name in ("balance", "layout", "teams"))
CLOCK, SAID = "src/slomix/clock.py", "src/slomix/availability/service.py"
OF_DAYS, OF_EVENINGS, OF_REACHING, OF_TEAMS, OF_PRESENCE, OF_NAMES = (
    f"tests/rules/test_{name}_rules.py"
    for name in ("availability", "campaign", "contacts", "planning", "presence", "accounts")
)
NAMES, OF_GAME_NAMES = "src/slomix/presence/game_names.py", "tests/rules/test_game_names.py"
DRAFT, BALANCED, OF_TIME = (
    "tests/services/test_planning_draft.py",
    "tests/rules/test_planning_balance.py",
    "tests/rules/test_clock.py",
)

MUTATIONS = (
    # Days
    Mutation(
        "yesterday may be answered for",
        AVAILABILITY,
        "    if day < today:\n        raise PastDay\n",
        "",
        (f"{OF_DAYS}::test_today_and_ninety_days_ahead_may_be_set",),
    ),
    Mutation(
        "the ninetieth day may not be answered for",
        AVAILABILITY,
        "    if day > today + HORIZON:",
        "    if day >= today + HORIZON:",
        (f"{OF_DAYS}::test_today_and_ninety_days_ahead_may_be_set",),
    ),
    Mutation(
        "a date is read in every form of ISO 8601",
        AVAILABILITY,
        '    if len(text) != 10 or text[4] != "-" or text[7] != "-" or not text.isascii():\n        raise NoSuchDay\n',
        "",
        (f"{OF_DAYS}::test_whatever_else_might_be_a_date_is_refused_with_an_example",),
    ),
    Mutation(
        "a reading may be a day longer than half a year",
        AVAILABILITY,
        "last - first >= MAX_SPAN",
        "last - first > MAX_SPAN",
        (f"{OF_DAYS}::test_a_span_is_at_most_180_days_the_first_before_the_last",),
    ),
    Mutation(
        "a day that nearly has enough looks as hot as one that has",
        AVAILABILITY,
        "    return -(-counts.coming * (MAX_HEAT - 1) // threshold)",
        "    return -(-counts.coming * MAX_HEAT // threshold)",
        (
            "tests/rules/test_calendar_rules.py"
            "::test_a_day_gets_hotter_in_thirds_and_is_hottest_only_when_enough_could_come",
        ),
    ),
    Mutation(
        "a week begins on Sunday",
        AVAILABILITY,
        "firstweekday=calendar.MONDAY",
        "firstweekday=calendar.SUNDAY",
        (f"{OF_DAYS}::test_a_month_is_whole_weeks_monday_first",),
    ),
    Mutation(
        "pressing Looking again goes to the end of the queue",
        SAID,
        "func.coalesce(Entry.looking_since, literal(now)) if looking_since else None",
        "literal(now) if looking_since else None",
        ("tests/services/test_availability.py::test_first_come_first_and_pressing_looking_again_keeps_the_place",),
    ),
    Mutation(
        "leaving the queue keeps the place in it",
        SAID,
        "func.coalesce(Entry.looking_since, literal(now)) if looking_since else None",
        "func.coalesce(Entry.looking_since, literal(now))",
        ("tests/services/test_availability.py::test_who_leaves_the_queue_and_returns_stands_at_its_end",),
    ),
    Mutation(
        "who says something else is still late",
        SAID,
        '                "late_until": late_until,\n',
        "",
        ("tests/services/test_late.py::test_whatever_is_said_afterwards_ends_it",),
    ),
    Mutation(
        "who is in voice before the evening starts has arrived",
        "src/slomix/campaigns/late.py",
        "if not late or now < hours_of_day(session, day, settings=settings).start_at:",
        "if not late:",
        ("tests/services/test_late.py::test_arriving_ends_it_once_the_evening_has_started",),
    ),
    Mutation(
        "who is late can be late for ever",
        CAMPAIGNS,
        "return min(max(hours.start_at, now) + LATE_BY, hours.until)",
        "return max(hours.start_at, now) + LATE_BY",
        ("tests/rules/test_late_rules.py::test_who_is_late_comes_15_minutes_after_the_start_or_after_saying_so",),
    ),
    Mutation(
        "who is late is called at once",
        "src/slomix/campaigns/notices/calls.py",
        "            return Postpone(late_until)\n",
        "            pass\n",
        ("tests/workers/test_late.py::test_the_one_follow_up_comes_at_that_moment_and_the_summary_does_not_wait",),
    ),
    Mutation(
        "the summary waits for who is late",
        "src/slomix/campaigns/progress.py",
        "rules.VOICE_CHECK, due_by=context.now",
        "rules.VOICE_CHECK",
        ("tests/workers/test_late.py::test_the_one_follow_up_comes_at_that_moment_and_the_summary_does_not_wait",),
    ),
    Mutation(
        "the voice check is over before who is late was called",
        "src/slomix/campaigns/voice_check.py",
        "return context.is_past_deadline or not deliveries.is_open(session, subject, rules.VOICE_CHECK)",
        "return True",
        ("tests/workers/test_late.py::test_what_waits_for_who_is_late_can_be_cancelled",),
    ),
    Mutation(
        "who is on the server is still left in peace",
        "src/slomix/campaigns/voice_check.py",
        "here + on_server)",
        "here)",
        ("tests/workers/test_late.py::test_who_is_on_the_server_has_arrived_and_is_asked_to_voice_at_once",),
    ),
    # The clock
    Mutation(
        "a day begins at midnight, whatever the settings say",
        CLOCK,
        "    return local.date() if has_begun else local.date() - timedelta(days=1)",
        "    return local.date()",
        (f"{OF_TIME}::test_a_day_begins_at_its_hour_in_the_communitys_zone",),
    ),
    Mutation(
        "a day that has begun ends when the clock is set back",
        CLOCK,
        "has_begun = local.time() >= starts_at or now >= datetime.combine(local.date(), starts_at, "
        "zone).astimezone(UTC)",
        "has_begun = local.time() >= starts_at",
        (f"{OF_TIME}::test_a_day_that_has_begun_never_ends_and_begins_again",),
    ),
    Mutation(
        "an hour after midnight belongs to the calendar's day",
        CLOCK,
        "date_on_calendar = day if at >= starts_at else day + timedelta(days=1)",
        "date_on_calendar = day",
        (f"{OF_TIME}::test_an_hour_of_a_day_is_one_moment",),
    ),
    Mutation(
        "a time of day is read in every form of ISO 8601",
        CLOCK,
        "    if not _TIME.fullmatch(text):",
        "    if not text:",
        ("tests/web/test_bad_calls.py::test_a_campaign_that_makes_no_sense",),
    ),
    Mutation(
        "a clock that was set is not looked at again",
        CLOCK,
        "            if self._seen != (stat.st_mtime_ns, stat.st_ino):",
        "            if self._seen is None:",
        (f"{OF_TIME}::test_a_clock_that_was_set_is_seen_at_once_by_whoever_shares_it_forward_and_back",),
    ),
    # Evenings
    Mutation(
        "an evening is called together hours after its start",
        CAMPAIGNS,
        "    if now > start_at + START_CUTOFF:\n        raise TooLate\n",
        "",
        (f"{OF_EVENINGS}::test_an_hour_after_the_start_is_the_last_moment",),
    ),
    Mutation(
        "a reminder whose moment has passed goes out",
        CAMPAIGNS,
        "Planned(reminder_at, start_at) if now < reminder_at else Skipped(reminder_at, Reason.TOO_LATE)",
        "Planned(reminder_at, start_at)",
        (f"{OF_EVENINGS}::test_a_reminder_whose_moment_has_passed_is_skipped_with_its_reason",),
    ),
    Mutation(
        "an evening that is called together late says that it begins now",
        CAMPAIGNS,
        "        began_at=start_at,",
        "        began_at=start_moment,",
        (f"{OF_EVENINGS}::test_made_after_the_start_the_start_goes_out_now_and_says_when_it_began",),
    ),
    Mutation(
        "who said maybe is asked without being ticked",
        CAMPAIGNS,
        "or (status is Status.MAYBE and self.include_maybe)",
        "or status is Status.MAYBE",
        (f"{OF_EVENINGS}::test_looking_is_always_asked_the_others_when_ticked",),
    ),
    Mutation(
        "who would get one of two notices is left out",
        CAMPAIGNS,
        "        if None in reasons:",
        "        if set(reasons) == {None}:",
        (f"{OF_EVENINGS}::test_who_would_get_one_of_two_notices_is_asked",),
    ),
    Mutation(
        "who cannot be reached is asked",
        CAMPAIGNS,
        "        if None in reasons:",
        "        if reasons:",
        (f"{OF_EVENINGS}::test_who_cannot_or_must_not_be_asked_is_left_out_with_the_reason",),
    ),
    Mutation(
        "an evening whose reminder failed was a good one",
        CAMPAIGNS,
        "if any(phase.is_flawed for phase in phases.values()) or JobStatus.FAILED in jobs.values():",
        "if start.is_flawed or JobStatus.FAILED in jobs.values():",
        (f"{OF_EVENINGS}::test_a_later_phase_never_hides_an_earlier_failure",),
    ),
    Mutation(
        "who said no is still called",
        CAMPAIGNS,
        "    return Reason.NOT_PLAYING if status is Status.NOT_PLAYING else None",
        "    return None",
        (f"{OF_EVENINGS}::test_a_change_among_three_statuses_keeps_a_recipient",),
    ),
    Mutation(
        "who is nowhere to be seen is called missing on a guess",
        "src/slomix/campaigns/voice_rules.py",
        "if where is VoiceStatus.MISSING]",
        "if not where.is_in_voice]",
        (f"{OF_EVENINGS}::test_nobody_is_called_missing_on_a_guess",),
    ),
    Mutation(
        "an evening is called together twice",
        "src/slomix/campaigns/service.py",
        "exclusive_on=day if settings.global_cooldown and not options.dry_run else None,",
        "exclusive_on=None,",
        ("tests/services/test_campaigns.py::test_one_a_day_over_all_and_the_refusal_names_the_other",),
    ),
    Mutation(
        "the same submit twice is judged anew",
        "src/slomix/campaigns/service.py",
        "    first = _campaign_of_submit(session, promoter_id, idempotency_key)\n"
        "    if first is not None:\n"
        "        _check_same_submit(first, options, day)\n"
        "        return first, False\n",
        "",
        (
            "tests/services/test_campaigns.py"
            "::test_the_same_submit_answers_with_the_first_though_nobody_is_left_to_ask_and_it_is_too_late",
        ),
    ),
    # Reaching people
    Mutation(
        "quiet hours hold at their end",
        CONTACTS,
        "return self.start <= local < self.end",
        "return self.start <= local <= self.end",
        (f"{OF_REACHING}::test_quiet_hours_hold_from_their_start_until_just_before_their_end",),
    ),
    Mutation(
        "quiet hours over midnight hold all day",
        CONTACTS,
        "return local >= self.start or local < self.end",
        "return local >= self.end or local < self.start",
        (f"{OF_REACHING}::test_quiet_hours_hold_from_their_start_until_just_before_their_end",),
    ),
    Mutation(
        "quiet hours are those of the server's clock",
        CONTACTS,
        "local = now.astimezone(zone).time()",
        "local = now.time()",
        (f"{OF_REACHING}::test_quiet_hours_hold_from_their_start_until_just_before_their_end",),
    ),
    Mutation(
        "who did not switch a kind of message on gets it",
        CONTACTS,
        "    if kind is not None and kind not in reach.allows:",
        "    if kind is not None and not reach.allows:",
        (f"{OF_REACHING}::test_one_kind_that_is_switched_on_allows_no_other",),
    ),
    Mutation(
        "who left our server is written to",
        CONTACTS,
        "    if reach.has_left:\n        return Reason.LEFT_OUR_SERVER\n",
        "",
        (f"{OF_REACHING}::test_of_several_reasons_the_weightiest_is_given",),
    ),
    Mutation(
        "an address that does not work is written to",
        CONTACTS,
        "return tuple(route for route in self.all_routes if route.is_usable)",
        "return self.all_routes",
        (f"{OF_REACHING}::test_of_what_is_known_the_ways_that_work_are_left_in_their_order",),
    ),
    Mutation(
        "a code lives as long as is asked for",
        CONTACTS,
        "    if minutes not in CODE_MINUTES:",
        "    if minutes not in range(5, 200):",
        ("tests/rules/test_preference_rules.py::test_no_number_is_too_large_or_too_small_to_be_refused",),
    ),
    Mutation(
        "a code is good after its time",
        "src/slomix/contacts/links.py",
        "            LinkCode.expires_at > now,\n            LinkCode.chat_hash.is_(None),\n",
        "            LinkCode.chat_hash.is_(None),\n",
        ("tests/services/test_link_codes.py::test_a_code_lives_as_long_as_was_said_and_no_moment_longer",),
    ),
    Mutation(
        "a code for one channel links another",
        "src/slomix/contacts/links.py",
        "            LinkCode.channel == channel,\n"
        "            LinkCode.expires_at > now,\n"
        "            LinkCode.chat_hash.is_(None),\n",
        "            LinkCode.expires_at > now,\n            LinkCode.chat_hash.is_(None),\n",
        ("tests/services/test_link_codes.py::test_a_code_for_one_channel_is_none_on_another_and_stays_good",),
    ),
    Mutation(
        "a masked address shows most of itself",
        CONTACTS,
        "shown = min(2, len(address) // 3)",
        "shown = min(8, len(address))",
        ("tests/rules/test_preference_rules.py::test_an_address_is_shown_by_its_end",),
    ),
    Mutation(
        "a session is ready with one more than enough",
        "src/slomix/availability/triggers.py",
        "if looking >= settings.ready_threshold:",
        "if looking > settings.ready_threshold:",
        ("tests/services/test_triggers.py",),
    ),
    # Teams
    Mutation(
        "captains pick by turns, 1 2 1 2",
        PLANNING,
        "return first if counts[Side.A] % 2 == 0 else first.other",
        "return first",
        (f"{OF_TEAMS}::test_captains_pick_1_2_2_1",),
    ),
    Mutation(
        "a captain picks on the other's turn",
        TEAMS,
        "    if turn is not None and turn.side is not side:\n        raise rules.NotYourTurn\n",
        "",
        (f"{DRAFT}::test_on_frankas_turn_only_franka_picks_and_only_who_is_left",),
    ),
    Mutation(
        "a captain picks from the other team",
        TEAMS,
        "    if player_id in view.placed and (turn is not None or is_captains_own):\n"
        "        raise rules.AlreadyPicked\n",
        "",
        (f"{DRAFT}::test_on_frankas_turn_only_franka_picks_and_only_who_is_left",),
    ),
    Mutation(
        "a clock that was beaten picks all the same",
        TEAMS,
        "    if turn.captain_id is None or turn.captain_id != view.room.turn_of:",
        "    if turn.captain_id is None:",
        (DRAFT,),
    ),
    Mutation(
        "an old page takes a draft under way apart",
        TEAMS,
        "if view.turn is not None or (version is not None and version != view.room.version):",
        "if version is not None and version != view.room.version:",
        (f"{DRAFT}::test_a_draft_that_is_under_way_is_not_begun_anew_from_an_old_page",),
    ),
    Mutation(
        "teams that somebody changed since are overwritten",
        TEAMS,
        "    if version is not None and version != view.room.version:\n"
        "        raise rules.TeamsChanged\n"
        "    _check_committed",
        "    _check_committed",
        (
            "tests/services/test_planning_teams.py"
            "::test_teams_made_from_an_older_page_change_nothing_and_the_sentence_says_so",
        ),
    ),
    Mutation(
        "a player is on both sides",
        LAYOUT,
        "        if set(a) & set(b):\n            raise OnBothSides\n",
        "",
        (f"{OF_TEAMS}::test_nobody_is_on_both_sides_and_a_captain_is_on_their_own",),
    ),
    Mutation(
        "an owner who has left still runs the room",
        PLANNING,
        "is_owner = player_id == owner_id and takes_part",
        "is_owner = player_id == owner_id",
        (f"{OF_TEAMS}::test_an_owner_who_has_left_manages_nothing_and_anybody_in_the_room_may_take_over",),
    ),
    Mutation(
        "a player without a rating counts as nothing",
        BALANCE,
        "mean if rating is None else rating",
        "0.0 if rating is None else rating",
        (f"{BALANCED}::test_who_has_no_rating_counts_as_the_mean",),
    ),
    Mutation(
        "the worst teams are proposed first",
        BALANCE,
        "best = sorted(different.values(), key=lambda sides: _gap(sides, strength))[: max(number, 0)]",
        "best = sorted(different.values(), key=lambda sides: -_gap(sides, strength))[: max(number, 0)]",
        (f"{BALANCED}::test_no_teams_are_closer_than_the_first_that_are_proposed",),
    ),
    Mutation(
        "good teams of many are not improved",
        BALANCE,
        "        _improve(held, a, b, strength)\n",
        "",
        (f"{BALANCED}::test_of_more_than_twelve_the_best_are_all_but_as_good_as_can_be",),
    ),
    Mutation(
        "it is asked for more every second",
        "src/slomix/planning/service.py",
        "    if wait is not None:\n        raise wait\n",
        "",
        (
            "tests/services/test_planning_ask.py"
            "::test_within_a_quarter_of_an_hour_it_is_not_asked_again_and_the_sentence_says_how_long",
        ),
    ),
    # Presence and names
    Mutation(
        "an old picture of the voice rooms is believed",
        PRESENCE,
        "-max_age <= now - self.observed_at <= max_age",
        "-max_age <= now - self.observed_at",
        (f"{OF_PRESENCE}::test_a_picture_is_used_for_ninety_seconds",),
    ),
    Mutation(
        "a picture of the future is believed",
        PRESENCE,
        "-max_age <= now - self.observed_at <= max_age",
        "now - self.observed_at <= max_age",
        (f"{OF_PRESENCE}::test_a_picture_is_used_for_ninety_seconds",),
    ),
    Mutation(
        "who is away from the keyboard is here",
        PRESENCE,
        "if room is None or room == self.afk:",
        "if room is None:",
        (f"{OF_PRESENCE}::test_a_room_says_where_somebody_is",),
    ),
    Mutation(
        "a name that two players had tells of both",
        PRESENCE,
        "if any(name in there and owners[name] == 1 for name in names)",
        "if any(name in there for name in names)",
        ("tests/rules/test_game_names.py::test_a_name_that_two_of_them_had_tells_of_neither",),
    ),
    Mutation(
        "a name in other colours is another name",
        NAMES,
        'key = "".join(piece.text for piece in _pieces(name))',
        "key = name",
        (f"{OF_GAME_NAMES}::test_a_name_is_known_again_whatever_its_colours_and_case",),
    ),
    Mutation(
        "a name keeps its colour codes",
        NAMES,
        '        if letter == "^":',
        '        if letter == "":',
        (f"{OF_GAME_NAMES}::test_a_name_is_read_without_its_colours_and_is_never_empty",),
    ),
    Mutation(
        "a name of nothing but codes is empty",
        NAMES,
        '_shown(name) or (Letters("7", gettext("unnamed")),)',
        '_shown(name) or (Letters("7", ""),)',
        (f"{OF_GAME_NAMES}::test_a_name_is_read_without_its_colours_and_is_never_empty",),
    ),
    Mutation(
        "a plain name keeps blanks beside others",
        NAMES,
        'seen = " ".join(name.split())',
        "seen = name.strip()",
        (f"{OF_GAME_NAMES}::test_the_colour_that_all_names_begin_with_changes_nothing",),
    ),
    Mutation(
        "a name that shows nothing is a name",
        NAMES,
        'if not any(unicodedata.category(letter)[0] in "LN" for letter in seen):',
        "if not seen:",
        (f"{OF_GAME_NAMES}::test_what_is_no_name_is_refused_with_its_reason",),
    ),
    Mutation(
        "a name turns the text around it",
        NAMES,
        '_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co"})',
        '_UNSEEN: Final = frozenset({"Cc", "Cs", "Co"})',
        (f"{OF_GAME_NAMES}::test_no_name_turns_the_text_around_it",),
    ),
    Mutation(
        "a name is stored as it was typed",
        "src/slomix/presence/name_column.py",
        "if value is not None and clean_name(value) != value:",
        "if value is None:",
        ("tests/web/test_name_entrances.py::test_no_column_for_names_takes_what_was_not_cleaned",),
    ),
    Mutation(
        "a search takes wildcards",
        ACCOUNTS,
        '.replace("%", "\\\\%")',
        "",
        (f"{OF_NAMES}::test_wildcards_in_a_search_are_letters",),
    ),
    Mutation(
        "a name in a message mentions people",
        "src/slomix/deliveries/formatting.py",
        'return escape_markdown(" ".join(plain_name(name).split())[:LONGEST_NAME])',
        'return " ".join(plain_name(name).split())[:LONGEST_NAME]',
        (f"{OF_EVENINGS}::test_names_mention_nobody_format_nothing_and_sixty_of_them_fit",),
    ),
)
