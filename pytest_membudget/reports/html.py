"""All budgets as one page of HTML that needs no network.  The only place that knows Jinja."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import astuple
from functools import cache
from importlib.resources import files
from itertools import count
from pathlib import Path
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from pytest_membudget import __version__
from pytest_membudget.files import unwritable, write_text
from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
from pytest_membudget.reports.curve import charts
from pytest_membudget.reports.document import Environment
from pytest_membudget.texts import visible
from pytest_membudget.units import format_seconds, format_size

# Most file systems take 255 bytes, and those that encrypt them 143.
_LONGEST_NAME = 120
_HERE = files("pytest_membudget.reports")


def write_html(
    results: Sequence[Result], path: str, environments: Sequence[Environment] = ()
) -> None:
    """Write the page, and a folder of flame graphs; ``environments`` are those of the runs."""
    ordered = cells.by_headroom(cells.measured(results))
    folder, links, problem = Path(path).with_suffix(".flamegraphs"), dict[int, str](), None
    try:
        _write_flame_graphs(ordered, folder, links)
    except OSError as error:
        problem = unwritable(str(folder), error)
    write_text(path, html(ordered, environments, links, cells.skipped(results)))
    if problem is not None:
        raise problem


def html(
    results: Sequence[Result],
    environments: Sequence[Environment],
    flame_graphs: dict[int, str],
    skipped: Sequence[Result] = (),
) -> str:
    """The page; ``flame_graphs`` are links by index, ``skipped`` are results that it only lists."""
    return _template().render(
        results=results,
        names=[cells.migration(result) for result in results],
        several_vendors=cells.several_vendors(results),
        skipped=skipped,
        verdicts=cells.verdicts([*results, *skipped]),
        environments=[one for one in dict.fromkeys(environments) if any(astuple(one))],
        version=__version__,
        flame_graphs=flame_graphs,
        charts=[charts(result) for result in results],
        style=_resource("templates/report.css"),
        script=_resource("templates/report.js"),
        chart_js=_resource("vendor/chart.umd.min.js"),
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pytest_membudget.reports"),
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(soft=_soft, size=format_size, seconds=format_seconds)
    environment.globals["cells"] = cells
    return environment.get_template("report.html")


def _resource(name: str) -> Markup:
    """A file of the package's own, which is no text to be escaped."""
    return Markup(_HERE.joinpath(name).read_text(encoding="utf-8"))


def _shown(value: object) -> object:
    """Every value that the page shows; what is Markup already has been through here."""
    return visible(value) if type(value) is str else value


def _soft(name: str) -> Markup:
    """A long name that may be broken after its underscores, dots and slashes."""
    return Markup(re.sub(r"([_./])", r"\1<wbr>", str(escape(visible(name)))))


def _write_flame_graphs(results: Sequence[Result], folder: Path, links: dict[int, str]) -> None:
    """Write what memray, if installed, can draw, and the link to each.  Raises OSError."""
    with_stacks = {index: one.stacks for index, one in enumerate(results) if one.stacks}
    if not with_stacks:
        return
    try:
        from pytest_membudget.attribution.flamegraph import write_flamegraph
    except ImportError:
        return
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    for index, stacks in with_stacks.items():
        name = _free_name(results[index], taken)
        taken.add(name)
        write_flamegraph(stacks, str(folder / name))
        links[index] = quote(f"{folder.name}/{name}")


def _free_name(result: Result, taken: Collection[str]) -> str:
    """A name after the migration; several tests may be of the same one."""
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", cells.migration(result)).strip("_")[:_LONGEST_NAME]
    names = (f"{stem}{f'-{number}' if number else ''}.html" for number in count())
    return next(name for name in names if name not in taken)
