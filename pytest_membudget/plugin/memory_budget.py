"""The budget of one test: measured once, when the body asks or when it has returned."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from pytest_membudget.budget.options import Options
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.planner import complete, override_of, overrides
from pytest_membudget.check.session import check
from pytest_membudget.errors import BudgetError
from pytest_membudget.judge.result import Result
from pytest_membudget.plugin import MembudgetWarning
from pytest_membudget.plugin.progress import progress_line
from pytest_membudget.plugin.reporter import terminal_info
from pytest_membudget.processes.server.client import ServerClients
from pytest_membudget.reports.baseline import baseline_of
from pytest_membudget.reports.failure import failure
from pytest_membudget.texts import log_text, visible

_PROPERTIES = (
    "migration",
    "verdict",
    "basis",
    "peak_bytes",
    "peak_low_bytes",
    "peak_high_bytes",
    "limit_bytes",
    "bytes_per_row",
    "growth",
    "fits_up_to_rows",
    "projected_duration_s",
    "server_peak_bytes",
)


class MemoryBudget:
    """The type of the ``membudget`` fixture: the budget that the marker of the test states.

    ``result`` is None until the migration was measured.
    """

    def __init__(
        self, item: pytest.Item, plan: CheckPlan, servers: ServerClients, options: Options
    ) -> None:
        self.result: Result | None = None
        self._item = item
        self._plan = plan
        self._servers = servers
        self._warn = options.inconclusive.value == "warn"
        # What an earlier run found is explained, accepted or not.
        explained = plan.explaining is not None
        self._baseline = None if explained else baseline_of(options)

    def check(self) -> Result:
        """Measure the migration, once, and fail the test unless it fits; else return the result.

        The verdict of a result that is returned is ``within``.  With ``membudget_inconclusive =
        warn`` it may be ``inconclusive``, and a :class:`MembudgetWarning` says why.
        """
        __tracebackhide__ = True
        if self.result is None:
            with progress_line(self._item.config, self._plan.budget) as progress:
                self.result = check(self._plan, self._servers, self._item.nodeid, progress)
            if self._baseline is not None:
                today = datetime.now(timezone.utc).date()
                self.result = self._baseline.applied_to(self.result, today)
            # JUnit XML shows them as <property> elements of the test case.
            figures = self.result.to_dict()
            known = {name: figures[name] for name in _PROPERTIES if figures[name] is not None}
            self._item.user_properties += [(f"membudget_{name}", known[name]) for name in known]
        if self.result.accepted is not None:
            pytest.xfail(log_text(visible(str(self.result.accepted))))  # goes on with --runxfail
        if self.result.inconclusive and self._warn:
            reason = log_text(visible(self.result.reason))
            warnings.warn(MembudgetWarning(reason), stacklevel=2)
        elif not self.result.ok:
            width, unicode = terminal_info(self._item.config)
            verbosity = self._item.config.get_verbosity()
            text = failure(self.result, width=width, verbosity=verbosity, unicode=unicode)
            pytest.fail(text, pytrace=False)
        return self.result


def make_memory_budget(item: pytest.Item, options: Options, servers: ServerClients) -> MemoryBudget:
    """The guard of a marked test or gated migration.  Raises BudgetError for what can't be read."""
    gated = getattr(item, "gated", None)
    marker = item.get_closest_marker("membudget")
    if gated is not None:
        override = override_of(gated.keys, item.config.rootpath)
        if override.skip is not None:
            # The project's own wish, whose reason overrides.py insists on.
            item.add_marker(pytest.mark.skip(reason=override.skip))
        arguments = {**override.arguments, "reverse": gated.reverse}
        plan = complete((list(gated.keys),), arguments, options, gated)
    elif marker is not None:
        plan = complete(marker.args, marker.kwargs, options)
        overrides(item.config.rootpath)  # they are for the gate, and held to be right by any check
    else:
        raise BudgetError("the membudget fixture needs the membudget marker")
    plan = replace(plan, explaining=getattr(item, "explaining", None))
    return MemoryBudget(item, plan, servers, options)
