"""Results read back from JSON files: shards of one run, or runs on several databases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_membudget.errors import BudgetError
from pytest_membudget.result import SCHEMA


def read_document(path: str) -> dict[str, Any]:
    """Read one file that ``--membudget-json`` wrote.  Raises BudgetError, which names the file."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BudgetError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except ValueError:
        raise BudgetError(f"{path} is not JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("results"), list):
        raise BudgetError(f"{path} holds no results of pytest-membudget")
    if document.get("schema") != SCHEMA:
        raise BudgetError(
            f"{path} has schema {document.get('schema')!r}, and this version reads {SCHEMA}"
        )
    return document


def merge(documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results of several files in order; a later one of a test and database replaces."""
    return list({identity(one): one for part in documents for one in part["results"]}.values())


def identity(result: dict[str, Any]) -> tuple[str, str | None]:
    """What makes two results the same budget: the test and the kind of database."""
    return result["nodeid"], result["database"]["vendor"]
