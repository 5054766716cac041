"""Orders loaded with ``only()``, two totals computed, saved 250 at a time."""

import pytest

ROWS = {"orders.Order": 500_000}


@pytest.mark.xfail(strict=True, reason="holds the WHEN clauses of every batch: peaks at 1.8 GiB")
@pytest.mark.membudget("orders.0002_only_then_bulk_update", rows=ROWS, limit="1Gi")
def test_bulk_update_with_batch_size(): ...


# On a slow machine 40 s allow samples of 8,000 rows, which do not tell a list from a chunk.
@pytest.mark.membudget("orders.0003_own_batches_over_list", rows=ROWS, limit="1Gi", time_budget=100)
def test_own_batches_over_list(membudget):
    result = membudget.check()
    # The batches cost nothing, but the list will not fit for ever.
    assert result.growth == "linear"
    assert result.fits_up_to_rows < 1_000_000


@pytest.mark.membudget("orders.0004_own_batches_over_stream", rows=ROWS, limit="1Gi")
def test_own_batches_over_stream(membudget):
    result = membudget.check()
    assert result.growth in ("constant", "bounded")
