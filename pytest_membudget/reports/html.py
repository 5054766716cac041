"""All budgets as one page of HTML that needs no network.  The only place that knows Jinja."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from pytest_membudget import __version__
from pytest_membudget.reports import cells
from pytest_membudget.reports.charts import charts
from pytest_membudget.reports.files import write_text
from pytest_membudget.units import format_seconds, format_size

_HERE = files("pytest_membudget.reports")


def write_html(
    results: Sequence[dict[str, Any]], path: str, environments: Sequence[dict[str, Any]] = ()
) -> None:
    """Write the page, and beside it, in a folder, a flame graph of each result that has stacks.

    ``environments`` name the versions of the runs that the results are of.
    """
    ordered = cells.by_headroom(cells.measured(results))
    told_apart = cells.told_apart(results)
    page = html(ordered, environments, _flame_graphs(ordered, path), told_apart)
    write_text(path, page)


def html(
    results: Sequence[dict[str, Any]],
    environments: Sequence[dict[str, Any]],
    flame_graphs: dict[int, str],
    told_apart: Sequence[dict[str, Any]] = (),
) -> str:
    """The page; ``flame_graphs`` are links by the index of the result.

    ``told_apart`` are results that a few rows or none told, which it only lists.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pytest_membudget.reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["soft"] = _soft
    environment.filters["size"] = format_size
    environment.filters["seconds"] = format_seconds
    environment.globals["cells"] = cells
    return environment.get_template("report.html").render(
        results=results,
        names=[cells.migration(result) for result in results],
        several_vendors=cells.several_vendors(results),
        told_apart=told_apart,
        verdicts=cells.verdicts([*results, *told_apart]),
        environments=list(dict.fromkeys(_environment(one) for one in environments if one)),
        version=__version__,
        flame_graphs=flame_graphs,
        charts=[charts(result) for result in results],
        style=_resource("templates/report.css"),
        script=_resource("templates/report.js"),
        chart_js=_resource("vendor/chart.umd.min.js"),
    )


def _resource(name: str) -> Markup:
    """A file of the package's own, which is no text to be escaped."""
    return Markup(_HERE.joinpath(name).read_text(encoding="utf-8"))


def _soft(name: str) -> Markup:
    """A long name that may be broken after its underscores, dots and slashes."""
    return Markup(re.sub(r"([_./])", r"\1<wbr>", str(escape(name))))


def _environment(environment: dict[str, Any]) -> str:
    return (
        f"Python {environment.get('python')}, Django {environment.get('django')}, "
        f"{environment.get('platform')}"
    )


def _flame_graphs(results: Sequence[dict[str, Any]], path: str) -> dict[int, str]:
    """Write what memray can draw; the links to it, none where memray is not installed."""
    with_stacks = [index for index, result in enumerate(results) if result.get("stacks")]
    if not with_stacks:
        return {}
    try:
        from pytest_membudget.attribution.flamegraph import write_flamegraph
    except ImportError:
        return {}
    folder = Path(path).with_suffix(".flamegraphs")
    folder.mkdir(parents=True, exist_ok=True)
    links: dict[int, str] = {}
    for index in with_stacks:
        name = _free_name(results[index], folder, links)
        write_flamegraph(results[index]["stacks"], str(folder / name))
        links[index] = quote(f"{folder.name}/{name}")
    return links


def _free_name(result: dict[str, Any], folder: Path, taken: dict[int, str]) -> str:
    """A name after the migration; several tests may be of the same one."""
    stem = re.sub(r"[^\w.-]+", "_", cells.migration(result)).strip("_")
    names = (f"{stem}{f'-{number}' if number else ''}.html" for number in range(len(taken) + 1))
    return next(name for name in names if quote(f"{folder.name}/{name}") not in taken.values())
