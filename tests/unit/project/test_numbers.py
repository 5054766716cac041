"""The numbers that a migration's code names."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable

import pytest
from django.db import transaction
from django.utils.functional import SimpleLazyObject

from pytest_membudget.project.numbers import named_numbers

BATCH = 30_000
BATCHES = [1] * 40_000


class Settings:
    SIZE = 31_000


def helper(size: int = 70_000) -> int:
    return size


def ping(count: int) -> int:
    return pong(count) + 41_000


def pong(count: int) -> int:
    return ping(count) + 42_000


def must_not_be_asked() -> None:
    raise AssertionError("a lazy object was evaluated")


LAZY = SimpleLazyObject(must_not_be_asked)


def test_literals_constants_defaults_and_what_is_called() -> None:
    def forwards(apps: object, schema_editor: object, *, page: int = 50_000) -> None:
        chunk = 100 * 1_000
        rows = [BATCH for _ in range(9_999)]
        helper(chunk + page + len(rows))

    assert named_numbers([forwards]) == [9_999, 30_000, 50_000, 70_000, 100_000]


def test_functions_that_call_each_other() -> None:
    assert named_numbers([ping]) == [41_000, 42_000]


def sized(size: int) -> Callable[[], int]:
    return lambda: size


class Method:
    def run(self) -> int:
        return 45_000


@pytest.mark.parametrize(
    ("function", "number"),
    [
        (transaction.atomic(helper), 70_000),
        (functools.partial(helper, size=43_000), 43_000),
        (sized(44_000), 44_000),
        (Method().run, 45_000),
        (lambda: Settings.SIZE, 31_000),
        (lambda: [n + 1 for n in (46_000, 47_000)], 46_000),
        (lambda: int(1e5), 100_000),
    ],
    ids=["decorated", "partial", "closure", "method", "class attribute", "tuple", "float"],
)
def test_wherever_it_stands(function: object, number: int) -> None:
    assert number in named_numbers([function])


def test_small_numbers_flags_and_other_peoples_code_are_none() -> None:
    def forwards() -> None:
        print(True, 49, len(BATCHES), json.dumps({}), os.path.join("a", "b"))  # noqa: PTH118

    assert named_numbers([forwards, None, "async", object()]) == []


def test_nothing_of_the_project_is_evaluated() -> None:
    def forwards() -> None:
        helper(LAZY)

    assert named_numbers([forwards, LAZY]) == [70_000]
