"""Properties of results that are read back: whatever is read, every report can be drawn of it.

tests/properties.py says how to try more examples.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from properties import HIDDEN, anything, read, texts, tried
from results import FILE, explained_figures, figures, passing_figures

from pytest_membudget.budget.readers import RowGrowth
from pytest_membudget.errors import BudgetError
from pytest_membudget.reports import markdown
from pytest_membudget.reports.annotations import workflow_commands
from pytest_membudget.reports.code_quality import code_quality
from pytest_membudget.reports.compare import compare
from pytest_membudget.reports.document import Document, merge, parse_document
from pytest_membudget.reports.failure import failure
from pytest_membudget.reports.html import write_html
from pytest_membudget.reports.open_metrics import open_metrics
from pytest_membudget.reports.sarif import sarif
from pytest_membudget.reports.terminal import comparison, notes, summary, trend_table
from pytest_membudget.reports.trend import EVERY_OTHER, trends

STACKS = {
    "rows": 1_700_000,
    "frames": [["forwards", FILE, 9], ["from_db", "django/db/models/base.py", 913]],
    "stacks": [[400.5, 3.2, [1, 0]], [150.0, 1.0, [0]]],
}
UNMEASURED = {"samples": [], "peak_bytes": None, "peak_low_bytes": None, "peak_high_bytes": None}
ACCEPTED = {"reason": "known", "accepted": "2026-11-28", "until": "2027-02-28"}
KILLED = {"killed": True, "rows": {"shop.Order": 5}, "group": "cgroup v2", "note": ""}
DOCUMENT = {
    "schema": 1,
    "created": "2026-11-28T08:00:00Z",
    "tool": {"version": "0.1.0"},
    "environment": {"python": "3.13.0", "django": "6.1", "platform": "Linux"},
    "results": [
        explained_figures(stacks=STACKS, outcome="failed"),
        figures(nodeid="b", verdict="inconclusive", outcome="passed", growth="linearithmic"),
        figures(nodeid="c", basis="measured", growth="quadratic", outcome="xfailed"),
        figures(nodeid="f", outcome="xfailed", accepted=ACCEPTED, confirmation=KILLED),
        figures(nodeid="d", verdict="error", basis=None, growth=None, **UNMEASURED),
        passing_figures(database={"alias": "default", "vendor": "sqlite", "version": "3.45"}),
        passing_figures(nodeid="e", rows={}, **UNMEASURED),
    ],
}
COMMAND = re.compile(r"(?m)^\s*::|##[\w-]*\[")

Step = str | int


def places(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Every place in a document but the whole of it."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


PLACES = list(places(DOCUMENT))
WHOLE = parse_document(json.dumps(DOCUMENT).encode(), "results.json")
INTEGERS = st.integers(0, 2**63) | st.sampled_from([0, 1, 2, 2**53, 2**53 + 1, 2**63 - 1, -1])
FLOATS = st.floats(-1, 1e20) | st.sampled_from([0.0, 1e-300, 1e13, 1e300])


def like(value: Any) -> st.SearchStrategy[Any]:
    """Values that stand a chance of being read in the place of this one."""
    if isinstance(value, bool) or value is None:
        return st.none() | st.booleans() | INTEGERS | texts
    if isinstance(value, int | float):
        return INTEGERS | FLOATS | st.none()
    if isinstance(value, str):
        return texts | st.none() | st.sampled_from(["within", "error", "projected", "measured"])
    if isinstance(value, list):
        return st.lists(st.sampled_from(value), max_size=4) if value else st.just([])
    return st.dictionaries(st.sampled_from([*value, "x"]) | texts, INTEGERS | texts, max_size=3)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """The document with one or two places changed, emptied or added to."""
    document = copy.deepcopy(DOCUMENT)
    for _ in range(draw(st.integers(1, 2))):
        parent: Any = document
        *above, last = draw(st.sampled_from(PLACES))
        try:
            for step in above:
                parent = parent[step]
            value = parent[last]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken the place away
        how = draw(st.sampled_from(["like"] * 6 + ["anything", "delete", "key"]))
        if how == "delete":
            del parent[last]
        elif how == "key" and isinstance(parent, dict):
            parent[draw(texts)] = parent.pop(last)
        else:
            parent[last] = draw(like(value) if how == "like" else anything)
    return document


def draw_reports(document: Document, folder: Path, width: int, *, full: bool) -> list[str]:
    """Every report of a document that has been read, but for the commands to GitHub."""
    results = merge([document])
    changed = compare(WHOLE.results, results)
    days = [datetime(2026, month, 1, tzinfo=timezone.utc) for month in (1, 3)]
    growth = {EVERY_OTHER: RowGrowth("5% a month", 0.05, "month")}
    over_time = trends(zip(days, (WHOLE, document), strict=True), growth)
    page = folder / "page.html"
    write_html(results, str(page), [document.environment])
    drawn = [
        page.read_text(),
        markdown.markdown(results),
        markdown.comparison(changed.changes, changed.notes),
        sarif(results),
        code_quality(results),
        open_metrics(results),
        *notes(results),
        *(comparison(changed.changes, 80, color=False) if changed.changes else ()),
        *trend_table(over_time, 80, color=False),
        *(failure(one, width=100, verbosity=int(full), unicode=not full) for one in results),
    ]
    table = summary(results, width, color=False)
    assert not (full and table) or summary(results, width, color=True)
    return [*drawn, *table]


@tried
@given(mutated(), st.sampled_from([1, 40, 80, 200]), st.booleans())
def test_every_report_of_what_is_read_can_be_drawn(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any], width: int, full: bool
) -> None:
    content = json.dumps(document).encode()
    found = read(lambda: parse_document(content, "results.json"), "results.json")
    event("read" if found else "refused")
    if found is None:
        return
    drawn = draw_reports(found, tmp_path_factory.getbasetemp(), width, full=full)
    for text in drawn:
        text.encode()
        assert not HIDDEN.search(text)
    for text in drawn[6:]:
        assert not COMMAND.search(text)
    with mock.patch.dict(os.environ, GITHUB_ACTIONS="true", GITHUB_WORKSPACE="/"):
        for line in workflow_commands(found.results):
            assert line.startswith(("::error ", "::notice ", "::warning "))
            assert line.isascii() or not HIDDEN.search(line)
            assert "\n" not in line


@tried
@given(
    st.binary(max_size=50) | st.text(max_size=50).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_file_is_read_or_refused(content: bytes) -> None:
    with pytest.raises(BudgetError, match=r"^results\.json"):
        parse_document(content, "results.json")
