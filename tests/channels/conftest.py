"""The simulated providers, and a Valkey, for the channels."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Load what only these tests need."""
    config.pluginmanager.import_plugin("tests.databases")
    config.pluginmanager.import_plugin("tests.simulators")
