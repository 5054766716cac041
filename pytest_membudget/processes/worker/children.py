"""What runs first in a Python process that a migration starts; see redirection/startup."""

from __future__ import annotations

import os

from pytest_membudget.database.target import Target
from pytest_membudget.processes.redirection import install
from pytest_membudget.processes.redirection.children import VARIABLE
from pytest_membudget.processes.worker.cursors import log_connections
from pytest_membudget.processes.worker.high_water import Phases
from pytest_membudget.processes.worker.statement_log import StatementLog


def install_in_child() -> None:
    """Redirect its connections like those of the worker, and log its statements."""
    target = Target.read(os.environ[VARIABLE])
    install(target)
    if target.statements:
        log_connections(StatementLog(target.statements, child=True), Phases(), target.name)
