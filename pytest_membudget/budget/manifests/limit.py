"""The memory limit that a file sets: ``k8s:deploy/migrate-job.yaml#app``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pytest_membudget.budget.manifests import compose, kubernetes
from pytest_membudget.budget.manifests.choice import Choice, Format, choose
from pytest_membudget.budget.manifests.nodes import read_documents
from pytest_membudget.budget.readers import LIMIT_FILES, enough, split_limit_file
from pytest_membudget.errors import BudgetError

_FORMATS: dict[str, Format] = dict(
    zip(LIMIT_FILES, (kubernetes.FORMAT, compose.FORMAT), strict=True)
)


@dataclass(frozen=True)
class FileLimit:
    """``size`` is bytes, ``place`` ``"deploy/migrate-job.yaml:14, container Job/migrate/app"``."""

    size: int
    place: str


@cache
def read_file_limit(written: str, folder: Path) -> FileLimit:
    """Read ``PREFIX:FILE#NAME``; FILE is relative to ``folder``.  BudgetError names the line."""
    prefix, file, name = split_limit_file(written)
    kind = _FORMATS[prefix]
    try:
        documents = read_documents(folder / file, file)
    except BudgetError as error:
        advice = f"; {kind.advice}" if "is not YAML" in str(error) else ""
        raise BudgetError(f"{error}{advice}") from None
    try:
        choice = choose(list(kind.choices(documents)), name, kind)
    except BudgetError as error:
        raise BudgetError(f"{file} {error}") from None
    except RecursionError:
        raise BudgetError(f"{file} is nested too deeply") from None
    size, line = _size(choice, kind, file)
    return FileLimit(size, f"{file}:{line}, {kind.noun} {choice}")


def _size(choice: Choice, kind: Format, file: str) -> tuple[int, int]:
    """Bytes and the line that sets them."""
    sizes = {}
    for node in choice.limits:
        try:
            if node.text is None:
                raise BudgetError(f"the limit is no text; {kind.advice}")
            size = kind.parse_size(node.text)
            if size:  # 0 is none
                sizes[enough(size, node.text)] = node.line
        except BudgetError as error:
            raise BudgetError(f"{file}:{node.line}: {error}") from None
    where = f"{file}:{choice.line}: {kind.noun} {choice}"
    if len(sizes) > 1:
        raise BudgetError(f"{where} has two memory limits, in line {_listed(sizes)}")
    if sizes:
        return next(iter(sizes.items()))
    promised = choice.reserved
    if promised is None or promised.text is None:
        raise BudgetError(f"{where} has no memory limit")
    raise BudgetError(
        f"{where} has no memory limit but a {kind.reservation} of {promised.text} (line "
        f"{promised.line}), which the kernel does not enforce: set its limit, or write here the "
        "limit that it gets from elsewhere, for instance from a LimitRange"
    )


def _listed(sizes: dict[int, int]) -> str:
    return " and ".join(map(str, sizes.values()))
