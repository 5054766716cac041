"""All reports of some results, each written to the file that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pytest_membudget.errors import BudgetError
from pytest_membudget.files import write_text
from pytest_membudget.judge.result import Result
from pytest_membudget.reports.code_quality import code_quality
from pytest_membudget.reports.document import Environment, write_json
from pytest_membudget.reports.html import write_html
from pytest_membudget.reports.markdown import append_to_step_summary, markdown
from pytest_membudget.reports.open_metrics import open_metrics
from pytest_membudget.reports.sarif import sarif
from pytest_membudget.texts import visible


def write_reports(
    results: Sequence[Result],
    paths: Mapping[str, str],
    environments: Sequence[Environment] | None = None,
) -> dict[str, str]:
    """Write a report to each of ``paths``, by its format, whatever becomes of the others.

    ``environments`` are those of the runs that the results are of, this one by default.  The answer
    is what went wrong, by format.
    """
    of_runs = [Environment.of_this_process()] if environments is None else environments
    writers: dict[str, Callable[[str], None]] = {
        "json": lambda path: write_json(results, path),
        "html": lambda path: write_html(results, path, of_runs),
        "markdown": lambda path: write_text(path, markdown(results)),
        "sarif": lambda path: write_text(path, sarif(results)),
        "code_quality": lambda path: write_text(path, code_quality(results)),
        "openmetrics": lambda path: write_text(path, open_metrics(results)),
        "GITHUB_STEP_SUMMARY": lambda path: append_to_step_summary(results, path),
    }
    problems = {}
    for name, path in paths.items():
        try:
            writers[name](path)
        except BudgetError as error:
            problems[name] = visible(str(error))
        except Exception as error:  # a fault of one report is no reason to lose another
            problems[name] = visible(f"{type(error).__name__}: {error}")
    return problems
