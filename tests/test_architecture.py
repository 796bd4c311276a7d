"""The layers are a test: `lint-imports` reads the contracts in pyproject.toml. What it cannot see is looked at here."""

import ast
import re
import subprocess
import sys
from pathlib import Path


def test_only_the_clock_asks_for_the_time(root: Path) -> None:
    asking = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in sorted((root / "src/slomix").rglob("*.py"))
        if path.name != "clock.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date"}
    ]
    assert asking == []


def test_only_the_settings_read_the_environment_in_what_runs_in_production(root: Path) -> None:
    package = root / "src/slomix"
    allowed = {"app/gunicorn.py", "config/environment.py"}
    reading = [
        name
        for path in sorted(package.rglob("*.py"))
        if (name := str(path.relative_to(package))).split("/")[0] not in {"cli", "dev", "supervisor"}
        if name not in allowed and "os.environ" in path.read_text()
    ]
    assert reading == []


def test_no_process_that_runs_knows_the_owner_of_the_database(root: Path) -> None:
    knowing = [
        str(path.relative_to(root))
        for folder in ("src/slomix", "workers")
        for path in sorted((root / folder).rglob("*.py"))
        if not {"cli", "dev"} & set(path.parts) and any(word in path.read_text() for word in ("owner_url", "OWNER_URL"))
    ]
    assert [name for name in knowing if "settings" not in name] == []


def test_no_json_call_reads_a_body_or_a_query_but_through_its_models(root: Path) -> None:
    """What it read by hand would not be described."""
    reading = [
        f"{path.relative_to(root)}:{node.lineno}: {ast.unparse(node)}"
        for path in sorted((root / "src/slomix").glob("*/api.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Name) and node.id == "json_object")
        or (
            isinstance(node, ast.Attribute)
            and re.fullmatch(r"request\.(?!headers).*|json\.json_object", ast.unparse(node))
        )
    ]
    assert reading == []


def test_no_sql_asks_the_database_for_the_time(root: Path) -> None:
    words = (
        "func.now(",
        "CURRENT_TIMESTAMP",
        "CURRENT_DATE",
        "func.current_",
        'text("now(',
        "server_default=func",
        "server_default=sa.func",
    )
    asking = [
        str(path.relative_to(root))
        for folder in ("src/slomix", "alembic/versions")
        for path in sorted((root / folder).rglob("*.py"))
        if any(word in path.read_text() for word in words)
    ]
    assert asking == []


def test_what_tells_of_an_evening_reads_nothing_that_may_change_after_it(root: Path) -> None:
    """Who came, and what was sent, is stored when it happens; statuses and contacts of today say something else."""
    telling = ("queries", "history", "view_models", "card", "evening_report")
    changing = {"slomix.availability.models", "slomix.availability.service", "slomix.contacts.service"}
    changing |= {"slomix.contacts.models", "slomix.presence.models", "slomix.presence.service"}
    reading = [
        f"{name}.py: {module}"
        for name in telling
        for node in ast.walk(ast.parse((root / f"src/slomix/campaigns/{name}.py").read_text()))
        if isinstance(node, ast.ImportFrom)
        for module in [f"{node.module}", *(f"{node.module}.{imported.name}" for imported in node.names)]
        if module in changing
    ]
    assert reading == []


def test_no_test_imports_another(root: Path) -> None:
    """What several need is a step, and has a module of its own: a test can be moved or dropped without the others."""
    imported = [
        f"{path.relative_to(root)}: {node.module}"
        for path in sorted((root / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and re.fullmatch(r"tests\.(\w+\.)*test_\w+", node.module or "")
    ]
    assert imported == []


def test_who_sends_a_message_is_known_and_looks_for_it_when_its_answer_is_lost(root: Path) -> None:
    """The ledger and the evening's message ask Discord, the teams are looked for in their thread; an answer in a chat
    is tried once."""
    package = root / "src/slomix"
    sending = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if "dev" not in path.relative_to(package).parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "send"
        and any(keyword.arg == "nonce" for keyword in node.keywords)
    }
    assert sending == {*("deliveries/handlers.py", "evening/message.py", "planning/threads.py", "chat/responder.py")}


def test_whatever_may_be_taken_without_an_answer_says_so(root: Path) -> None:
    """A request that makes something new must not be repeated as if it had been refused."""
    making = [
        f"{path.name}:{node.lineno}"
        for path in sorted((root / "src/slomix/channels").glob("discord*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and [ast.literal_eval(argument) for argument in node.args[:1] if isinstance(argument, ast.Constant)] == ["POST"]
        and not any(keyword.arg == "carries_message" for keyword in node.keywords)
        # Opening a DM again gives the same one.
        and "/users/@me/channels" not in ast.unparse(node)
    ]
    assert making == []


def test_the_import_of_the_application_starts_no_thread(root: Path) -> None:
    """gunicorn forks after it: a thread would be missing in the worker, and end there with a stack trace."""
    script = "import threading\nthreading.Thread.start = lambda self: print(self)\nimport slomix.app.factory\n"
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_whoever_opens_connections_says_whose_certificates_count(root: Path) -> None:
    """A client that is not told reads the machine's anew: that takes longer than all the rest of its first request."""
    reading = [
        f"{path.relative_to(root)}:{node.lineno}: {ast.unparse(node)}"
        for folder in ("src/slomix", "workers")
        for path in sorted((root / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and re.fullmatch(r"httpx2\.(?!Timeout|Limits)\w+|(httpx2\.)?(Async)?(OAuth2)?Client", ast.unparse(node.func))
        and not any(keyword.arg == "verify" for keyword in node.keywords)
    ]
    assert [one.partition(": ")[2] for one in reading] == ["httpx2.create_ssl_context()"]
