"""Results read back from JSON files: shards of one run, or runs on several databases."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_membudget.errors import BudgetError
from pytest_membudget.files import convert, parse_json
from pytest_membudget.judge.result import Result
from pytest_membudget.reports.document import SCHEMA, Document
from pytest_membudget.texts import shown


def read_document(path: str) -> Document:
    """Read one file that ``--membudget-json`` wrote.

    Raises BudgetError, which names the file and the path of what is wrong in it.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise BudgetError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    return parse_document(content, path)


def parse_document(content: bytes, source: str) -> Document:
    """Read a file's content; ``source`` is what an error calls it."""
    document = parse_json(content, source)
    if not isinstance(document, dict) or not isinstance(document.get("results"), list):
        raise BudgetError(f"{source} does not contain results of pytest-membudget")
    if (schema := document.get("schema")) != SCHEMA:
        raise BudgetError(
            f"{source} has schema {shown(schema)}, but this version reads schema {SCHEMA}"
        )
    return convert(document, Document, source)


def merge(documents: Iterable[Document]) -> list[Result]:
    """The results of several files in order; a later one of a test and database replaces."""
    return list({identity(one): one for part in documents for one in part.results}.values())


def identity(result: Result) -> tuple[str, str | None]:
    """What makes two results the same budget: the test and the kind of database."""
    return result.nodeid, result.database.vendor
