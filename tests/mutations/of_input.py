"""What comes from outside: settings, JSON, files."""

from tests.mutations.mutation import Mutation

SETTINGS, VALUES, REFUSALS, ENVIRONMENT = (
    f"src/slomix/{name}.py" for name in ("config/settings", "config/types", "config/checks", "config/environment")
)
SHAPES = "src/slomix/web/openapi/shapes.py"
JSON, CSV = "src/slomix/web/json.py", "src/slomix/accounts/players_csv.py"
READ, REFUSED, FILES = "tests/rules/test_settings.py", "tests/rules/test_checks.py", "tests/web/test_admin_players.py"
CALLS = "tests/web/test_bad_calls.py"

MUTATIONS = (
    # Settings
    Mutation(
        "a comment behind a value is a part of it",
        VALUES,
        '        return _TRAILING_COMMENT.sub("", text).strip()\n',
        "        return text.strip()\n",
        (f"{READ}::test_a_comment_behind_a_value_is_no_part_of_it",),
    ),
    Mutation(
        "a hash inside a word begins a comment",
        VALUES,
        r're.compile(r"(?:^|\s)#.*$", re.DOTALL)',
        r're.compile(r"\s*#.*$", re.DOTALL)',
        (f"{READ}::test_a_hash_inside_a_word_stays",),
    ),
    Mutation(
        "a value that is nothing but a comment is set",
        VALUES,
        r're.compile(r"(?:^|\s)#.*$", re.DOTALL)',
        r're.compile(r"\s#.*$", re.DOTALL)',
        (f"{READ}::test_a_value_that_is_nothing_but_a_comment_is_not_set",),
    ),
    Mutation(
        "a quoted value keeps its quotes",
        VALUES,
        '        text = found["inside"]\n    else:',
        "        pass\n    else:",
        ("tests/rules/test_environment.py",),
    ),
    Mutation(
        "a number is read from whatever has digits",
        VALUES,
        '_matching(r"[+-]?[0-9]{1,18}", "{} is',
        '_matching(r"[+-]?[0-9]{1,18}.*", "{} is',
        (f"{READ}::test_nonsense_is_refused_by_the_name_of_its_variable",),
    ),
    Mutation(
        "what is neither true nor false is false",
        VALUES,
        '    raise ValueError(f"{quote_value(text)} is neither true nor false")',
        "    return False",
        (f"{READ}::test_nonsense_is_refused_by_the_name_of_its_variable",),
    ),
    Mutation(
        "an address of a database has blanks in it",
        VALUES,
        'if re.search(r"\\s", rest):',
        "if not rest:",
        (f"{READ}::test_nonsense_is_refused_by_the_name_of_its_variable",),
    ),
    Mutation(
        "a limit of logins is none",
        SETTINGS,
        "oauth_limit: Number = Field(40, ge=1, le=100_000,",
        "oauth_limit: Number = Field(40, ge=1,",
        (f"{READ}::test_nonsense_is_refused_by_the_name_of_its_variable",),
    ),
    Mutation(
        "a port may be any number",
        SETTINGS,
        "port: Number = Field(7000, ge=1, le=65534,",
        "port: Number = Field(7000,",
        (f"{READ}::test_nonsense_is_refused_by_the_name_of_its_variable",),
    ),
    Mutation(
        "a setting is read under another name",
        SETTINGS,
        'validation_alias="AVAILABILITY_SESSION_READY_THRESHOLD"',
        'validation_alias="AVAILABILITY_SESSION_THRESHOLD"',
        ("tests/rules/test_env_example.py::test_it_names_every_setting_once_and_no_other",),
    ),
    Mutation(
        "two settings are read from one variable",
        SETTINGS,
        'validation_alias="DISCORD_OAUTH_RATE_LIMIT_WINDOW_SECONDS"',
        'validation_alias="DISCORD_OAUTH_STATE_TTL_SECONDS"',
        (f"{READ}::test_a_comment_behind_a_value_is_no_part_of_it",),
    ),
    Mutation(
        "a complaint repeats the secret that is wrong",
        VALUES,
        'return repr(text) if len(text) <= _SHORT else "what is set"',
        "return repr(text)",
        (f"{READ}::test_a_secret_in_the_wrong_place_is_not_repeated_in_the_complaint",),
    ),
    Mutation(
        "a secret is shown as it is",
        SETTINGS,
        'metrics_token: LongToken = Field(SecretStr(""),',
        'metrics_token: str = Field("",',
        ("tests/rules/test_settings_of_metrics.py",),
    ),
    Mutation(
        "a token of the metrics may be guessed",
        VALUES,
        "    if len(text) < 16:",
        "    if len(text) < 1:",
        (
            "tests/rules/test_settings_of_metrics.py"
            "::test_a_weak_one_or_one_that_no_header_can_carry_is_refused_by_name",
        ),
    ),
    Mutation(
        "threads are made without a room to hang in",
        SETTINGS,
        '            (thread, "AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID", self.planning_thread_parent, '
        "_THREADS),\n",
        "",
        ("tests/rules/test_settings_of_threads.py::test_it_needs_a_room_to_hang_in_and_a_server",),
    ),
    Mutation(
        "a channel is switched on without its token",
        SETTINGS,
        "            if is_on and not value\n",
        "            if is_on and value is None\n",
        (f"{READ}::test_a_channel_that_is_switched_on_needs_all_it_speaks_with",),
    ),
    Mutation(
        "a login comes back to an address that is not on the list",
        SETTINGS,
        "if allowed and self.login_redirect_uri not in allowed:",
        "if allowed and not self.login_redirect_uri:",
        (f"{READ}::test_a_redirect_uri_that_is_not_on_the_list_stops_the_start",),
    ),
    Mutation(
        "a reminder comes after its start",
        SETTINGS,
        "        if night[0] >= night[1]:",
        "        if night[0] == night[1]:",
        (f"{READ}::test_the_reminder_comes_before_the_start_of_the_same_evening",),
    ),
    Mutation(
        "only the first mistake is said",
        SETTINGS,
        "for problem in error.errors()}",
        "for problem in error.errors()[:1]}",
        (f"{READ}::test_all_that_is_wrong_is_said_at_once",),
    ),
    Mutation(
        "the file wins over the environment",
        ENVIRONMENT,
        "((ENV_FILE, lines), (ENVIRONMENT, os.environ))",
        "((ENVIRONMENT, os.environ), (ENV_FILE, lines))",
        (f"{READ}::test_the_environment_wins_over_the_file",),
    ),
    Mutation(
        "production starts with a short secret",
        REFUSALS,
        "    if len(secret) < _LONG_ENOUGH:",
        "    if not secret:",
        (f"{REFUSED}::test_a_weak_secret_is_refused_and_not_repeated",),
    ),
    Mutation(
        "production starts with words that stand for a secret",
        REFUSALS,
        "    if _PLACEHOLDER.search(secret):\n",
        "    if not secret:\n",
        (f"{REFUSED}::test_a_weak_secret_is_refused_and_not_repeated",),
    ),
    Mutation(
        "production trusts every machine as a proxy",
        REFUSALS,
        "    if _trusts_too_many(settings.trusted_proxies):",
        "    if False:",
        (f"{REFUSED}::test_what_is_not_for_production_is_refused_by_name",),
    ),
    Mutation(
        "production speaks in plain text to other machines",
        REFUSALS,
        'return url.drivername in {"http", "ws", "redis"}',
        "return False",
        (f"{REFUSED}::test_what_is_not_for_production_is_refused_by_name",),
    ),
    Mutation(
        "production starts with the clock of development",
        REFUSALS,
        '        ("SLOMIX_CLOCK", bool(settings.clock)),\n',
        "",
        (f"{REFUSED}::test_what_is_not_for_production_is_refused_by_name",),
    ),
    Mutation(
        "production starts without what it needs of Discord",
        REFUSALS,
        "*_missing(settings, (*_SERVERS, *_DISCORD)),",
        "*_missing(settings, _SERVERS),",
        (f"{REFUSED}::test_each_of_them_is_needed",),
    ),
    # JSON
    Mutation(
        "a list is taken for an object",
        JSON,
        "    if not isinstance(body, dict):\n        raise NotAnObject\n",
        "    if body is None:\n        raise NotAnObject\n",
        (f"{CALLS}::test_a_status_that_makes_no_sense",),
    ),
    Mutation(
        "brackets in brackets are a mistake of ours",
        JSON,
        "    except RecursionError:  # deeply nested brackets\n        raise NotAnObject from None\n",
        "    except LookupError:\n        raise NotAnObject from None\n",
        (f"{CALLS}::test_a_body_that_is_no_json_object",),
    ),
    Mutation(
        "what is no text is made one",
        SHAPES,
        '        raise PydanticCustomError(_KIND, _("The field {field} must be a text."))\n',
        "        value = str(value)\n",
        (f"{CALLS}::test_a_status_that_makes_no_sense",),
    ),
    Mutation(
        "whatever looks like a yes is one",
        SHAPES,
        "Flag = Annotated[StrictBool,",
        "Flag = Annotated[bool,",
        (f"{CALLS}::test_a_campaign_that_makes_no_sense",),
    ),
    Mutation(
        "an id may be a number, which a browser rounds",
        SHAPES,
        "responses.parse_id(value) if isinstance(value, str) else None",
        "responses.parse_id(str(value))",
        ("tests/web/test_planning_api.py", "tests/web/test_openapi.py::test_no_kind_of_field_takes_nonsense"),
    ),
    Mutation(
        "true is a number of players",
        "src/slomix/contacts/schemas.py",
        "looking_threshold: Annotated[StrictInt,",
        "looking_threshold: Annotated[int,",
        ("tests/web/test_preferences.py::test_a_call_that_makes_no_sense_stores_nothing",),
    ),
    Mutation(
        "an error of the API is a page",
        "src/slomix/web/responses.py",
        '    if request.path.startswith("/api/"):',
        '    if request.path.startswith("/api/availability/promotions"):',
        (f"{CALLS}::test_a_status_that_makes_no_sense",),
    ),
    Mutation(
        "what the database cannot store is a mistake of ours",
        "src/slomix/app/factory.py",
        "        DataError: _refuse_unstorable,\n",
        "",
        ("tests/web/test_bad_input.py::test_a_mistake_is_explained_and_stores_nothing", "tests/web/test_logs.py"),
    ),
    Mutation(
        "a reading past the end of time is a mistake of ours",
        "src/slomix/availability/api.py",
        "    except OverflowError:\n",
        "    except LookupError:\n",
        (f"{CALLS}::test_the_span_of_a_reading",),
    ),
    Mutation(
        "an answer of the API has fields that are not described",
        SHAPES,
        'model_config = ConfigDict(extra="forbid", frozen=True)',
        'model_config = ConfigDict(extra="allow", frozen=True)',
        ("tests/web/test_openapi.py::test_an_answer_has_no_field_that_is_not_described",),
    ),
    Mutation(
        "a field of the API that was not sent is set to nothing",
        SHAPES,
        "return {name: getattr(self, name) for name in self.model_fields_set}",
        "return dict(self)",
        ("tests/web/test_settings_api.py::test_a_field_that_is_left_out_stays_as_it_was",),
    ),
    Mutation(
        "a second code in a row is answered as the first",
        "src/slomix/contacts/links.py",
        "    if written is None:\n        asked_at",
        "    if not values:\n        asked_at",
        ("tests/web/test_link_api.py::test_codes_come_half_a_minute_apart",),
    ),
    # Files
    Mutation(
        "a profile that comes twice in a file is stored once",
        CSV,
        "            if guid in found:\n"
        "                raise InvalidPlayersFile(\n"
        '                    _("Line {line}: the guid {guid} is there twice.")'
        ".format(line=reader.line_num, guid=guid)\n"
        "                )\n",
        "",
        (f"{FILES}::test_a_file_that_is_wrong_is_refused_with_its_line_and_nothing_is_stored",),
    ),
    Mutation(
        "a row with too many fields is cut",
        CSV,
        "        if surplus:\n            raise InvalidPlayersFile(\n"
        '                _("Line {line} has more fields than the first one. Put what has a comma in it in quotes.")'
        ".format(\n"
        "                    line=line\n                )\n            )\n",
        "",
        (f"{FILES}::test_a_file_that_is_wrong_is_refused_with_its_line_and_nothing_is_stored",),
    ),
    Mutation(
        "a profile without a name is stored",
        CSV,
        "        if not guid or not name:",
        "        if not guid:",
        (f"{FILES}::test_a_file_that_is_wrong_is_refused_with_its_line_and_nothing_is_stored",),
    ),
    Mutation(
        "a rating may be infinite",
        CSV,
        "if RATING.fullmatch(text) is None or abs(float(text)) > LARGEST_RATING:",
        "if RATING.fullmatch(text) is None:",
        (f"{FILES}::test_a_file_that_is_wrong_is_refused_with_its_line_and_nothing_is_stored",),
    ),
    Mutation(
        "a rating is whatever float reads",
        CSV,
        "if RATING.fullmatch(text) is None or abs(float(text)) > LARGEST_RATING:",
        "if abs(float(text)) > LARGEST_RATING:",
        (f"{FILES}::test_a_file_that_is_wrong_is_refused_with_its_line_and_nothing_is_stored",),
    ),
    Mutation(
        "a file of Windows begins with a letter too many",
        CSV,
        'return data.decode("utf-8-sig")',
        'return data.decode("utf-8")',
        (f"{FILES}::test_an_import_is_looked_at_then_stored_whole_and_logged",),
    ),
    Mutation(
        "the command line reads a file by rules of its own",
        "src/slomix/cli/data.py",
        "players_csv.parse_profiles(players_csv.decode_file(file.read()))",
        'players_csv.parse_profiles(file.read().decode("latin-1"))',
        (f"{FILES}::test_the_command_line_refuses_the_same_files",),
    ),
    Mutation(
        "the command line does not say what is wrong with a file",
        "src/slomix/cli/data.py",
        'raise click.ClickException(f"{file.name}: {error}") from None',
        'raise click.ClickException("This file cannot be imported.") from None',
        (f"{FILES}::test_the_command_line_refuses_the_same_files",),
    ),
    # Much of it
    Mutation(
        "what a monitor reads looks at each job for each message",
        "src/slomix/metrics/readings.py",
        "Job.subject == cast(Delivery.id, Text)",
        'func.concat(Job.subject, "") == cast(Delivery.id, Text)',
        ("tests/services/test_metrics_cost.py",),
    ),
    Mutation(
        "what a monitor reads goes back for two days",
        "src/slomix/metrics/readings.py",
        "in_day, is_unsent = Delivery.settled_at > now - DAY,",
        "in_day, is_unsent = Delivery.settled_at > now - 2 * DAY,",
        ("tests/services/test_metrics_cost.py",),
    ),
)
