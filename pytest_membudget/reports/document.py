"""All results as one JSON document, schema 1: what ``--membudget-json`` writes."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Literal

from msgspec import to_builtins

from pytest_membudget import __version__
from pytest_membudget.errors import BudgetError
from pytest_membudget.files import convert, parse_json, write_text
from pytest_membudget.judge.result import Result
from pytest_membudget.texts import shown

SCHEMA: Literal[1] = 1


@dataclass(frozen=True)
class Tool:
    """What has written the document."""

    version: str | None = None


@dataclass(frozen=True)
class Environment:
    """Versions of what the migrations ran on."""

    python: str | None = None
    django: str | None = None
    platform: str | None = None

    @classmethod
    def of_this_process(cls) -> Environment:
        return cls(platform.python_version(), metadata.version("django"), platform.platform())


@dataclass(frozen=True, kw_only=True)
class Document:
    """The results of one run of pytest, with the versions of what made them."""

    schema: Literal[1]
    tool: Tool = Tool()
    environment: Environment = Environment()
    created: datetime | None = None
    results: tuple[Result, ...]


def write_json(results: Sequence[Result], path: str) -> None:
    """Write ``results`` with the versions of what made them, making folders as needed."""
    write_text(path, json.dumps(to_builtins(document_of(results)), indent=2) + "\n")


def document_of(results: Sequence[Result]) -> Document:
    """The document of a run in this process."""
    return Document(
        schema=SCHEMA,
        tool=Tool(__version__),
        environment=Environment.of_this_process(),
        created=datetime.now(timezone.utc).replace(microsecond=0),
        results=tuple(results),
    )


def read_document(path: str) -> Document:
    """Read what ``--membudget-json`` wrote.  BudgetError has the path of what is wrong in it."""
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
