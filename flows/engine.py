"""Prefect's surroundings: its home inside the workspace, no telemetry, quiet logs.

Must be called before Prefect is imported anywhere in the process; ``flows`` and ``tasks``
import nothing of Prefect by themselves.
"""

from __future__ import annotations

import os
import sys

from storage.settings import Settings
from storage.workspace import Workspace


def prepare_engine(chosen: Settings, *, quiet: bool = True) -> None:
    """Set Prefect's environment for this process and its children; what is set already stays."""
    if "prefect" in sys.modules:
        return
    values = {
        "PREFECT_HOME": str(Workspace(chosen.home).prefect.resolve()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "WARNING" if quiet else "INFO",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }
    if chosen.prefect_api_url:
        values["PREFECT_API_URL"] = chosen.prefect_api_url
    for name, value in values.items():
        os.environ.setdefault(name, value)
