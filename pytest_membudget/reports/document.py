"""All results as one JSON document, schema 1: what ``--membudget-json`` writes."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from msgspec import to_builtins

from pytest_membudget import __version__
from pytest_membudget.files import write_text
from pytest_membudget.judge.result import Result

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
    results: tuple[Result, ...]


def write_json(results: Sequence[Result], path: str) -> None:
    """Write ``results`` with the versions of what made them, making folders as needed."""
    document = Document(
        schema=SCHEMA,
        tool=Tool(__version__),
        environment=Environment.of_this_process(),
        results=tuple(results),
    )
    write_text(path, json.dumps(to_builtins(document), indent=2) + "\n")
