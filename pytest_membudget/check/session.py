"""One check, from its plan to its result."""

from __future__ import annotations

import time
from dataclasses import replace

from pytest_membudget.check.climb import climb
from pytest_membudget.check.conclude import conclude, conclude_early
from pytest_membudget.check.confirm import confirm, seconds_to_confirm
from pytest_membudget.check.early_verdict import EarlyVerdict
from pytest_membudget.check.plan import CheckPlan
from pytest_membudget.check.row_sources import RowSources
from pytest_membudget.check.sampler import Sampler
from pytest_membudget.check.sampling import Progress
from pytest_membudget.check.schema_only import decide
from pytest_membudget.check.table_discovery import with_rows
from pytest_membudget.check.without_assumption import without_assumption
from pytest_membudget.errors import OutOfBudget, ServerError
from pytest_membudget.judge import reasons
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.confirmation import Confirmation
from pytest_membudget.judge.evidence import Database, Evidence
from pytest_membudget.judge.explanation import Attribution
from pytest_membudget.judge.kernel_verdict import with_kernel_verdict
from pytest_membudget.judge.lessons import findings
from pytest_membudget.judge.result import Result, SecondsByPart
from pytest_membudget.judge.verdict import Judgement, Verdict, out_of_time
from pytest_membudget.processes.deadline import Deadline
from pytest_membudget.processes.server.client import ServerClient, ServerClients
from pytest_membudget.processes.stopwatch import APPLYING, EXPLAINING, STARTING, SURVEY, Stopwatch
from pytest_membudget.project.ownership import short_path
from pytest_membudget.project.syntax import literals


def check(plan: CheckPlan, servers: ServerClients, nodeid: str, progress: Progress) -> Result:
    """Measure and judge one budget.  What goes wrong in it is a verdict, not an exception."""
    begin = time.monotonic()
    result = _Check(plan, servers, progress).result(nodeid)
    files = tuple(short_path(file) for file in plan.files)
    seconds = round(time.monotonic() - begin, 3)
    return servers.secrets.hide_in(replace(result, files=files, duration_s=seconds))


class _Check:
    def __init__(self, plan: CheckPlan, servers: ServerClients, progress: Progress) -> None:
        self._plan = plan
        self._servers = servers
        self._progress = progress
        self._stopwatch = Stopwatch()
        self._confirmation: Confirmation | None = None
        self._evidence = Evidence(
            plan.budget,
            plan.touches_rows,
            plan.named_numbers,
            plan.branches,
            database=Database(plan.budget.database),
            literals=literals(plan.files),
            production=plan.production,
        )

    def result(self, nodeid: str) -> Result:
        found: Assessment | EarlyVerdict | None
        budget, attribution, details = self._plan.budget, Attribution(), ""
        try:
            with self._stopwatch.of(STARTING):
                server = self._servers.get(budget.database)
            greeting = server.greeting
            database = Database(budget.database, greeting.vendor, greeting.version)
            self._evidence = replace(self._evidence, database=database)
            with server.bound_to(Deadline(budget.time_budget), self._progress, self._stopwatch):
                with self._stopwatch.of(SURVEY):
                    found = self._decide_early(server)
                if found is None:
                    found, attribution = self._measure(server)
                    if found.judgement.verdict == Verdict.ERROR:
                        details = found.evidence.samples[-1].run.details
        except ServerError as error:
            reason = reasons.not_measured(budget, str(error))
            judgement = Judgement(Verdict.ERROR, None, reason)
            if isinstance(error, OutOfBudget) and budget.seed is None:
                judgement = out_of_time(self._evidence)
            found, details = Assessment(self._evidence, judgement), error.details
        if isinstance(found, EarlyVerdict):
            result = conclude_early(self._evidence, nodeid, found)
        else:
            result = replace(conclude(found, nodeid, details), **vars(attribution))
            if self._confirmation is not None:
                result = with_kernel_verdict(result, self._confirmation)
        return replace(result, seconds=SecondsByPart.of(self._stopwatch.seconds))

    def _decide_early(self, server: ServerClient) -> EarlyVerdict | None:
        """A verdict from empty tables or a few rows; None where samples are needed."""
        # Those that dry runs find are all tables that it accesses.
        self._sources = RowSources(self._plan) if self._plan.budget.rows else None
        gated = self._plan.gated
        # What takes no rows into the process may take the time of the database.
        in_database = self._plan.budget.depends_on_tables
        if gated is not None and gated.skip_reason and (gated.recorded or not in_database):
            return decide(self._plan, gated, server, self._progress)
        self._plan, early = with_rows(self._plan, server, self._progress)
        budget, unknown = self._plan.budget, self._plan.unknown
        notes = tuple(findings(self._plan.lessons, self._plan.sought))
        self._evidence = replace(self._evidence, budget=budget, unnamed=unknown, notes=notes)
        return early

    def _measure(self, server: ServerClient) -> tuple[Assessment, Attribution]:
        budget = self._plan.budget
        deadline = server.deadline or Deadline(budget.time_budget)
        self._evidence = replace(
            self._evidence,
            before=deadline.spent(),
            startup=self._plan.startup,
            few_peak=self._plan.few_peak,
            explains=self._plan.attribution != "never" and self._plan.explaining is None,
        )
        sampler = Sampler(self._plan, self._evidence, server, self._progress, self._sources)
        try:
            collect = sampler.collect_garbage
            assessment = climb(sampler.evidence, sampler.sample, deadline.spent, collect)
            assessment = without_assumption(assessment, sampler, deadline.left())
            assessment = replace(assessment, evidence=sampler.refusals())
            if self._plan.explaining is not None:
                server.deadline = deadline = Deadline(self._plan.explaining)
            with self._stopwatch.of(EXPLAINING):
                attribution = self._explain(assessment, sampler, deadline)
            if self._plan.confirm and assessment.judgement.verdict != Verdict.ERROR:
                seconds = seconds_to_confirm(assessment.evidence, deadline.left())
                server.deadline = Deadline(seconds)
                self._progress("applying the migration in a memory control group")
                with self._stopwatch.of(APPLYING):
                    self._confirmation = confirm(sampler, seconds)
            return assessment, attribution
        finally:
            self._evidence = sampler.evidence
            sampler.seeded.close()

    def _explain(self, assessment: Assessment, sampler: Sampler, deadline: Deadline) -> Attribution:
        wanted, judgement = self._plan.attribution, assessment.judgement
        unclear = judgement.verdict == Verdict.INCONCLUSIVE and assessment.is_in_danger
        asked = wanted == "always" and judgement.verdict == Verdict.WITHIN
        exceeds = judgement.exceeds and judgement.of_peak
        if wanted == "never" or not (exceeds or unclear or asked):
            return Attribution()
        try:
            from pytest_membudget.attribution.investigation import investigate
            from pytest_membudget.attribution.runs import Runs
            from pytest_membudget.attribution.time_left import TimeLeft
        except ImportError as error:
            return Attribution(attribution_note=f"memray can't run here: {error}")
        plan, time = sampler.plan, TimeLeft(assessment.evidence, deadline)
        runs = Runs(assessment.evidence, sampler.seeded, plan.files, plan.job, time)
        return investigate(assessment, runs, self._progress, plan.mixed)
