"""How often a property is tried: some hundred times, or as often as MEMBUDGET_EXAMPLES says.

MEMBUDGET_EXAMPLES=10000 pytest tests/test_properties_*.py
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("MEMBUDGET_EXAMPLES", 300))

tried = settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""A decorator for each property."""

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
