"""How often a property is tried: a hundred times, or as often as MEMBUDGET_EXAMPLES says.

MEMBUDGET_EXAMPLES=10000 pytest tests/unit -k properties
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from pytest_membudget.errors import BudgetError

EXAMPLES = int(os.environ.get("MEMBUDGET_EXAMPLES", 100))

tried = settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""A decorator for each property."""

HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff]")
"""What no output may contain: control characters but for tabs and ends of lines."""

# Among them texts that a terminal, Markdown, Rich, a page or the log of a CI job may act on.
HOSTILE = st.sampled_from(
    [
        "",
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
        "::error file=a.py::gotcha",
        "\n  ::set-output name=a::b",
        "##[error]gotcha",
        "[/red][link=x]",
        "<script>alert(1)</script>",
        "| a | b |",
        "a\r\nb\x00c\x85d\u2028e\u202ef",
        "\ud800",
        "-- x",
        "x" * 300,
        "../../x",
    ]
)
texts = HOSTILE | st.text(max_size=20)

scalars = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**40, 10**400])
    | st.integers()
    | st.sampled_from([0.0, -0.5, 1e-320, 1e15, 1e308, float("inf"), float("nan")])
    | st.floats()
    | texts
)
anything: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def read(reader: Callable[[], Any], beginning: str = "") -> Any:
    """What is read; None where it is refused, with an error of one short line."""
    try:
        return reader()
    except BudgetError as error:
        text = str(error)
    assert text.startswith(beginning)
    assert len(text) < 600 + len(beginning)
    assert not re.search(r"[\n\t]", text)
    assert not HIDDEN.search(text)
    return None
