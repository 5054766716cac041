"""Properties of a profile: whatever is read, all that is made of it can be made.

tests/properties.py says how to try more examples.
"""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

from hypothesis import event, example, given
from hypothesis import strategies as st
from properties import anything, read, texts, tried

from pytest_membudget.profile.check import ModelTable, check_profile
from pytest_membudget.profile.document import parse_profile
from pytest_membudget.profile.shape import row_counts, shape
from pytest_membudget.units import MOST

COUNTS = st.none() | st.integers(0, 10**12) | st.sampled_from([0, MOST, MOST + 1, -1, 1e3])
TYPES = st.sampled_from(["bigint", "text", "jsonb", "bytea", "character varying(20)", "int[]"])
WIDTHS = st.none() | st.floats(0, 2**31) | st.sampled_from([0, 17, 2**30, 2**30 + 1, 5e12, -1])
COLUMNS = st.fixed_dictionaries(
    {"type": TYPES | texts},
    optional={"width": WIDTHS, "nulls": st.floats(0, 1) | anything, "distinct": COUNTS},
)
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "rows": COUNTS,
        "toast_bytes": COUNTS,
        "row_bytes": COUNTS,
        "columns": st.dictionaries(texts | st.just("note"), COLUMNS, max_size=3),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "membudget_profile": st.just(1),
        "database": st.fixed_dictionaries(
            {"vendor": st.just("postgresql") | texts, "version": texts}
        ),
        "taken": st.dates().map(str),
        "exact": st.booleans(),
        "tables": st.dictionaries(texts | st.just("shop_order"), TABLES, max_size=3),
    }
)
WRONG = st.dictionaries(
    st.sampled_from(["membudget_profile", "database", "taken", "exact", "tables"]) | texts,
    anything,
    max_size=1,
)
DEEP = {
    "membudget_profile": 1,
    "database": {"vendor": "postgresql", "version": ""},
    "taken": "2026-11-26",
    "exact": False,
    "tables": {"x" * 300: {"columns": {"y" * 300: {"type": "bigint", "nulls": []}}}},
}
MODELS = {"shop_order": ModelTable("shop.Order", ("id", "note"))}


@tried
@given(DOCUMENTS, WRONG)
@example(DEEP, {})
def test_all_that_is_made_of_a_profile_can_be_made(
    document: dict[str, Any], wrong: dict[str, Any]
) -> None:
    text = json.dumps({**document, **wrong})
    profile = read(lambda: parse_profile(text, "membudget.json"), "membudget.json")
    event("read" if profile else "refused")
    if profile is None:
        return
    assert set(row_counts(profile)) == set(profile.tables)
    for columns in shape(profile).values():
        for column in columns.values():
            assert column.width is None or math.isfinite(column.width)
    assert check_profile(profile, MODELS, date(2026, 11, 26)).summary
