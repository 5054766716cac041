"""The marker as a function, which an editor completes and a type checker checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

import pytest

if TYPE_CHECKING:
    from typing_extensions import Unpack

Migration = str | tuple[str, str]


class Arguments(TypedDict, total=False):
    """Those of the marker; docs/gate.md and README.md describe them."""

    rows: Mapping[str, int]
    limit: int | str
    database: str
    seed: str | Callable[..., object]
    grow: bool
    reverse: bool
    time_budget: float
    max_duration: float | str
    limit_server: int | str


def budget(
    migration: Migration | list[Migration], **arguments: Unpack[Arguments]
) -> pytest.MarkDecorator:
    """The mark ``@pytest.mark.membudget(migration, **arguments)``.

    ``rows`` maps model labels to production's row counts, ``{"shop.Order": 1_700_000}``; ``limit``
    is ``"512Mi"``, bytes, ``"k8s:FILE#CONTAINER"``, ``"compose:FILE#SERVICE"`` or ``"cgroup"``;
    ``database`` is an alias; ``seed`` a function at the top level of a module, its dotted path or a
    fixture, whose rows ``grow``; ``reverse`` measures the way back; ``time_budget`` is in seconds.
    ``max_duration`` is ``"15min"`` or seconds, ``limit_server`` is read as ``limit``, ``"4Gi"``.
    They are held against the project when tests are collected.
    """
    given: dict[str, Any] = dict(arguments)
    return pytest.mark.membudget(migration, **given)
