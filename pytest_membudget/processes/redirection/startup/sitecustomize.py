"""Runs first in every Python process below a worker: redirects it and logs its statements.

A process that can't be redirected must not run at all.
"""

import importlib.machinery
import importlib.util
import os
import sys

_VARIABLE = "MEMBUDGET_TARGET"
_HERE = os.path.dirname(os.path.abspath(__file__))
_ABOVE_PACKAGE = os.path.abspath(os.path.join(_HERE, *[os.pardir] * 4))


def _redirect() -> None:
    try:
        sys.path.append(_ABOVE_PACKAGE)
        from pytest_membudget.database.target import Target
        from pytest_membudget.processes.redirection import install
        from pytest_membudget.processes.worker.cursors import log_connections
        from pytest_membudget.processes.worker.high_water import Phases
        from pytest_membudget.processes.worker.kept import Kept
        from pytest_membudget.processes.worker.statement_log import StatementLog

        sys.path.remove(_ABOVE_PACKAGE)
        target = Target.read(os.environ[_VARIABLE])
        install(target)
        if target.statements:
            log = StatementLog(target.statements, child=True)
            log_connections(log, Phases(), Kept(), target.name)
    except BaseException as error:
        sys.stderr.write(f"membudget: this process can't be redirected: {error!r}\n")
        sys.stderr.flush()
        os._exit(1)


def _run_the_next() -> None:
    """The environment's own sitecustomize, which this one stands before."""
    paths = [path for path in sys.path if os.path.abspath(path or os.curdir) != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", paths)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if _VARIABLE in os.environ:
    _redirect()
_run_the_next()
