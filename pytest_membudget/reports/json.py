"""All results as one JSON document, schema 1."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from pytest_membudget import __version__
from pytest_membudget.files import write_text
from pytest_membudget.judge.result import SCHEMA


def write_json(results: Sequence[dict[str, Any]], path: str) -> None:
    """Write ``results``, as :meth:`Result.to_dict` gives them, making folders as needed."""
    write_text(path, json.dumps(document(results), indent=2) + "\n")


def document(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The results with the versions of what made them."""
    return {
        "schema": SCHEMA,
        "tool": {"version": __version__},
        "environment": {
            "python": platform.python_version(),
            "django": metadata.version("django"),
            "platform": platform.platform(),
        },
        "results": list(results),
    }
