"""The numbers that a migration's code names, and those that it compares a count with."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import pytest
from django.db import transaction
from django.utils.functional import SimpleLazyObject

from pytest_membudget.project.comparisons import compared_numbers
from pytest_membudget.project.numbers import named_numbers

LIMIT = 300_000
BATCH = 30_000
BATCHES = [1] * 40_000
HERE = sys.modules[__name__]


class Sizes:
    MANY = 310_000

    def is_many(self, orders: Any) -> bool:
        return len(orders) > self.MANY

    def run(self) -> int:
        return 45_000


def is_many(orders: Any, most: int = 320_000) -> bool:
    return bool(orders.count() >= most)


@lru_cache(maxsize=330_000)
def cached(number: int) -> int:
    return number + (1 if number > 340_000 else 0)


def sized(most: int) -> Callable[[list[int]], bool]:
    return lambda rows: len(rows) == most


def counted_before(orders: Any) -> None:
    count = orders.count()
    while count > 500_000:
        count -= 1


def arithmetic(orders: Any) -> bool:
    most = 5 * 10**5
    return bool(orders.count() > most)


def aggregated(orders: Any) -> bool:
    found = orders.aggregate(n_rows="*")
    return bool(found["n_rows"] > 500_000)


def running(orders: Any) -> None:
    for number, order in enumerate(orders):
        assert number < 500_000 or order


def stepwise(orders: Any) -> None:
    done = 0
    for order in orders:
        done = done + 1
        assert done < 500_000 or order


def buffered(orders: Any) -> None:
    buffer: list[Any] = []
    for order in orders:
        buffer.append(order)
        if len(buffer) == 500_000:
            buffer.clear()


COMPARED: dict[str, Callable[..., object]] = {
    "literal": lambda orders: list(orders) if orders.count() > 500_000 else None,
    "reversed sides": lambda orders: 1_000 < 500_000 <= orders.count(),
    "float": lambda orders: orders.count() > int(5e5),
    "fetched": lambda cursor: cursor.fetchone()[0] > 500_000,
    "by key": lambda orders: [order for order in orders if order.pk > 500_000],
    "paginated": lambda paginator: paginator.count > 500_000,
    "counted before": counted_before,
    "arithmetic": arithmetic,
    "running": running,
    "stepwise": stepwise,
    "buffered": buffered,
    "aggregated": aggregated,
}


@pytest.mark.parametrize("function", COMPARED.values(), ids=COMPARED)
def test_a_count_that_is_compared(function: Callable[..., object]) -> None:
    assert compared_numbers([function])[-1:] == [500_000]


PLACES: dict[str, tuple[object, int]] = {
    "constant of the module": (lambda orders: orders.count() > LIMIT, 300_000),
    "of a class": (lambda orders: orders.count() > Sizes.MANY, 310_000),
    "of another module": (lambda orders: orders.count() > HERE.LIMIT, 300_000),
    "default of a function that is called": (lambda orders: is_many(orders), 320_000),
    "in a cached function": (lambda numbers: [cached(number) for number in numbers], 340_000),
    "variable of the function around it": (sized(350_000), 350_000),
    "partial": (partial(is_many), 320_000),
    "decorated": (transaction.atomic(is_many), 320_000),
    "float": (lambda orders: orders.count() > int(1e5), 100_000),
}


@pytest.mark.parametrize(("function", "number"), PLACES.values(), ids=PLACES)
def test_wherever_the_number_stands(function: object, number: int) -> None:
    assert compared_numbers([function]) == [number]
    assert number in named_numbers([function])


def test_the_number_of_a_method_s_class() -> None:
    assert compared_numbers([Sizes().is_many]) == [310_000]


def no_counts(orders: Any) -> None:
    begin = time.monotonic()
    for order in orders.filter(pk__gt=500_000).iterator(chunk_size=100_000):
        price = order.price
        if order.placed.year > 2_024 or price > 50_000 or order.total >= 60_000:
            order.save()
        if len(order.note) > 70_000 or order.values["width"] == 80_000:
            order.save()
        if time.monotonic() - begin > 3_600:
            time.sleep(90_000)
    for key, price in orders.values_list("pk", "price"):
        assert price < 110_000, key
    orders.bulk_create(range(0, 10, 120_000), batch_size=130_000)


def test_values_of_rows_seconds_and_arguments_are_no_counts() -> None:
    assert compared_numbers([no_counts]) == []
    assert 100_000 in named_numbers([no_counts])


def circular(orders: Any) -> None:
    first = 2 * second  # noqa: F821
    second = first
    if orders.count() > first or LIMIT > 400_000:
        print(second)


def test_names_that_lead_to_each_other_and_constants_beside_each_other() -> None:
    assert compared_numbers([circular]) == []


def test_nothing_where_there_is_no_source() -> None:
    there: dict[str, Any] = {}
    exec("def made(orders): return orders.count() > 500_000", there)
    assert compared_numbers([there["made"], None, object()]) == []


def helper(size: int = 70_000) -> int:
    return size


def ping(count: int) -> int:
    return pong(count) + 41_000


def pong(count: int) -> int:
    return ping(count) + 42_000


def must_not_be_asked() -> None:
    raise AssertionError("a lazy object was evaluated")


LAZY = SimpleLazyObject(must_not_be_asked)


def chunks(apps: object, schema_editor: object, *, page: int = 50_000) -> None:
    chunk = 100 * 1_000
    rows = [BATCH for _ in range(9_999)]
    helper(chunk + page + len(rows))


def library() -> None:
    print(True, 49, len(BATCHES), json.dumps({}), os.path.join("a", "b"))  # noqa: PTH118


NAMED: dict[str, tuple[list[object], list[int]]] = {
    "literals, constants, defaults, what is called": (
        [chunks],
        [9_999, 30_000, 50_000, 70_000, 100_000],
    ),
    "functions that call each other": ([ping], [41_000, 42_000]),
    "no small ones, flags or other people's": ([library, None, "async", object()], []),
    "nothing of the project is evaluated": ([lambda: helper(LAZY), LAZY], [70_000]),
    "a method": ([Sizes().run], [45_000]),
    "an argument of a partial": ([partial(helper, size=43_000)], [43_000, 70_000]),
    "a tuple": ([lambda: [n + 1 for n in (46_000, 47_000)]], [46_000, 47_000]),
    "the size of a cache": ([lambda: cached(1)], [330_000, 340_000]),
}


@pytest.mark.parametrize(("functions", "numbers"), NAMED.values(), ids=NAMED)
def test_numbers_that_are_named(functions: list[object], numbers: list[int]) -> None:
    assert named_numbers(functions) == numbers


REPEATED = {
    "range": lambda orders: list(range(orders.count())),
    "made": lambda orders: [object() for _ in range(orders.count() // 2)],
    "list": lambda orders: [None] * orders.count(),
    "text": lambda orders: "x" * orders.aggregate(n=len)["n"],
    "bytes": lambda orders: bytearray(16 * orders.count()),
}


@pytest.mark.parametrize("function", REPEATED.values(), ids=REPEATED)
def test_what_is_done_as_often_as_a_count_says(function: Callable[[Any], Any]) -> None:
    assert compared_numbers([function]) == [0]


def up_to_a_count(orders: Any) -> None:
    made: list[object] = []
    while len(made) < orders.count():
        made.append(object())


def a_count_that_is_shown(orders: Any) -> None:
    total = orders.count()
    print(f"{total} orders, {total * 2} lines", "=" * 70, [0] * 8, total > 0)
    for _ in range(10):
        orders.update(total=total)


def test_a_loop_up_to_a_count_and_a_count_that_is_shown() -> None:
    assert compared_numbers([up_to_a_count]) == [0]
    assert compared_numbers([a_count_that_is_shown]) == []
