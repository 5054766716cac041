"""What grows: sizes that allocators really take, stacks of two runs, and whose a line is."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from pytest_membudget.attribution.flamegraph import pack
from pytest_membudget.attribution.growth import MALLOC, PYMALLOC, Alive, Stack, growth, overhead
from pytest_membudget.attribution.sites import CLIENT_RESULT, sites
from pytest_membudget.database.engine import POSTGRESQL
from pytest_membudget.judge.explanation import Stacks
from pytest_membudget.project.ownership import Ownership, short_path


def test_the_allocators_are_known() -> None:
    def taken(allocator: str, size: int) -> float:
        return size + overhead(allocator, size, 1)

    assert 48 < taken(PYMALLOC, 40) < 50
    assert 512 < taken(PYMALLOC, 512) < 550
    assert taken(PYMALLOC, 600) == 608
    assert taken(MALLOC, 1) == 32
    assert taken(MALLOC, 0) == 32
    assert overhead(MALLOC, 10 * 2**20, 1) == 2048
    assert overhead(PYMALLOC, 0, 0) == 0


def test_growth_is_what_the_larger_has_more() -> None:
    kept, gone = (("f", "m.py", 1),), (("g", "m.py", 2),)
    small = {kept: Alive(PYMALLOC, 1600, 100), gone: Alive(PYMALLOC, 5000, 1)}
    large = {kept: Alive(PYMALLOC, 4800, 300), gone: Alive(PYMALLOC, 5000, 1)}
    (stack,) = growth(small, large, 200)
    assert (stack.frames, stack.bytes_per_row, stack.blocks_per_row) == (kept, 16, 1)


def test_a_flame_graph_has_what_grows() -> None:
    frame = ("forwards", "shop/migrations/0002_it.py", 9)
    fewer = Stack(MALLOC, (frame,), 40.0, -2.0, 0.0)
    shrinks = Stack(MALLOC, (("other", *frame[1:]),), -90.0, -1.0, 0.0)
    packed = pack([fewer, shrinks], 1_000)
    assert packed == Stacks(1_000, (frame,), ((40.0, 0.0, (0,)),))


def test_whose_a_line_is() -> None:
    import django

    installed = Ownership([])
    assert not installed.is_own(str(django.__file__))
    assert not installed.is_own(str(pytest.__file__))
    assert not installed.is_own("<frozen importlib._bootstrap>")
    assert installed.is_own(__file__)
    folder = str(django.__file__).rpartition("/")[0]
    assert Ownership([folder]).is_own(str(django.__file__))
    assert short_path(str(django.__file__)) == "django/__init__.py"


@pytest.mark.parametrize("allocator", [MALLOC, PYMALLOC])
def test_the_client_s_memory_is_known_whatever_the_allocator_is_called(allocator: str) -> None:
    frames = (
        ("_maybe_prepare_gen", str(Path(psycopg.__file__).with_name("_cursor_base.py")), 312),
        ("forwards", __file__, 1),
    )
    stack = Stack(allocator, frames, 212.0, 0.1, 0.0)
    (site,) = sites([stack], Ownership([]), POSTGRESQL)
    assert site.cause == CLIENT_RESULT
    small = Stack(PYMALLOC, frames, 100.0, 2.0, 0.0)
    assert next(iter(sites([small], Ownership([]), POSTGRESQL))).cause != CLIENT_RESULT
