"""Usernames to upper case: in one process, and in a pool whose processes share one limit."""

import pytest
from django.db import connection

ROWS = {"accounts.User": 100_000}


@pytest.mark.membudget("accounts.0002_bulk_update", rows=ROWS, limit="512Mi")
def test_bulk_update(membudget):
    result = membudget.check()
    # It fits today, and stops fitting when there are some 200,000 users.
    assert result.growth == "linear"
    assert result.fits_up_to_rows < 400_000


@pytest.mark.xfail(
    connection.vendor == "sqlite",
    strict=True,
    reason="SQLite lets one process write at a time, so the migration refuses to run",
)
@pytest.mark.membudget("accounts.0003_process_pool", rows=ROWS, limit="512Mi")
def test_process_pool(): ...
