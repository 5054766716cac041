"""Four million posts of two short strings, and six ways to go through them."""

import pytest

from blog.seeds import seed_posts


def posts(migration, limit):
    rows = {"blog.Post": 4_000_000}
    return pytest.mark.membudget(f"blog.{migration}", rows=rows, limit=limit, seed=seed_posts)


@pytest.fixture
def debug_on(monkeypatch):
    monkeypatch.setenv("EXAMPLE_DEBUG", "1")


@posts("0002_loop_over_all", "3GiB")
def test_loop_over_all(): ...


@pytest.mark.xfail(strict=True, reason="all() keeps every object: SQLite 2.0, PostgreSQL 2.4 GiB")
@posts("0002_loop_over_all", "512MiB")
def test_loop_over_all_in_a_small_container(): ...


@posts("0003_update", "512MiB")
def test_update(): ...


@posts("0004_iterator", "512MiB")
def test_iterator(membudget):
    assert membudget.check().growth in ("constant", "bounded")


@posts("0004_iterator", "512MiB")
def test_iterator_with_debug_on(debug_on):
    """Django keeps 9,000 statements: a few MiB, as long as they are short."""


@posts("0005_defer_iterator", "512MiB")
def test_defer_iterator(): ...


@posts("0006_cursor_fetchall", "3GiB")
def test_cursor_fetchall(): ...


@pytest.mark.xfail(strict=True, reason="a list of every row: SQLite 0.8, PostgreSQL 1.1 GiB")
@posts("0006_cursor_fetchall", "512MiB")
def test_cursor_fetchall_in_a_small_container(): ...


@posts("0007_named_cursor", "512MiB")
def test_named_cursor(): ...
