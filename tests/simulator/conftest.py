"""The simulator, for its own tests."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Load what only these tests need."""
    config.pluginmanager.import_plugin("tests.simulators")
