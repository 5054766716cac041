"""Checks of many tests in one run of pytest, with one server process and one state.

The mark ``checks`` of a test says what is checked, and its fixture ``result`` is what came out::

    @checks(STREAM, 'rows={"shop.Order": 2_000}', 'limit="80Mi"')
    def test_a_stream_is_within(result: dict[str, Any], vendor: str) -> None: ...

Each check is a migration ``0001_it`` of an app of its own.  It comes after those of ``shop`` and
of the checks before it, so that a state grows by one migration from check to check; one that can't
be applied to empty tables is no part of a batch.  A function ``prepare`` of the module may write
more into the project.  Tests of one module, one vendor and the same options are one batch: their
checks run when the first of these tests asks for its result.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from project import Project


@dataclass(frozen=True)
class Check:
    """``code`` is a migration's, ``arguments`` are those of the marker, as they are written."""

    code: str
    arguments: tuple[str, ...]
    atomic: bool = True


@dataclass(frozen=True)
class Batch:
    """``options`` are those of the run; with ``gate`` each migration is an item of the gate."""

    module: str
    vendor: str
    gate: bool
    options: tuple[str, ...]


def checks(
    code: str | Callable[..., str],
    *arguments: str,
    atomic: bool = True,
    gate: bool = False,
    options: tuple[str, ...] = (),
) -> pytest.MarkDecorator:
    """The mark.  ``code`` may be a function of parameters of the test, by their names."""
    return pytest.mark.checks(code, *arguments, atomic=atomic, gate=gate, options=options)


both = pytest.mark.usefixtures("vendor")
"""The mark of a test on both engines."""


def on_postgresql(test: Callable[..., None]) -> Callable[..., None]:
    return both(pytest.mark.parametrize("vendor", ["postgresql"])(test))


def on_mariadb(test: Callable[..., None]) -> Callable[..., None]:
    return both(pytest.mark.parametrize("vendor", ["mysql"])(test))


def batch_of(item: pytest.Item) -> Batch | None:
    mark = item.get_closest_marker("checks")
    if mark is None:
        return None
    vendor = _parameters(item).get("vendor", "sqlite")
    module = Path(item.path).stem
    return Batch(module, vendor, mark.kwargs["gate"], mark.kwargs["options"])


def check_of(item: pytest.Item) -> Check:
    mark = item.get_closest_marker("checks")
    assert mark is not None
    code, *arguments = mark.args
    if callable(code):
        parameters = _parameters(item)
        code = code(*(parameters[name] for name in inspect.signature(code).parameters))
    return Check(code, tuple(arguments), mark.kwargs["atomic"])


def run(batch: Batch, checks: list[Check], project: Project) -> list[dict[str, Any] | None]:
    """The result of each check; None for one that has none."""
    labels = [f"case{number}" for number in range(len(checks))]
    last = "shop", project.last
    for label, check in zip(labels, checks, strict=True):
        last = project.app(label, check.code, last, atomic=check.atomic)
    if batch.gate:
        options = ("--membudget-gate=all", *labels)
    else:
        options = ()
        migrations = (f'"{label}.0001"' for label in labels)
        arguments = (check.arguments for check in checks)
        project.budgets(*((name, *its) for name, its in zip(migrations, arguments, strict=True)))
    found = {one["migration"]: one for one in project.results(*batch.options, *options)}
    return [found.get(f"{label}.0001_it") for label in labels]


def _parameters(item: pytest.Item) -> dict[str, Any]:
    call = getattr(item, "callspec", None)
    return dict(call.params) if call else {}
