"""Objects loaded with ``only()``, two fields computed, saved in batches of 250."""

import pytest

ROWS = {"orders.Order": 500_000}


@pytest.mark.xfail(strict=True, reason="holds each order and the WHEN of every batch: REASON")
@pytest.mark.membudget("orders.0002_only_then_bulk_update", rows=ROWS, limit="1Gi")
def test_bulk_update_with_batch_size(): ...


@pytest.mark.membudget("orders.0003_own_batches_over_list", rows=ROWS, limit="1Gi")
def test_own_batches_over_list(membudget):
    result = membudget.check()
    assert result.growth == "linear"
    # The list of orders alone: it will not fit for ever.
    assert 500_000 < result.fits_up_to_rows < 1_000_000


@pytest.mark.membudget("orders.0004_own_batches_over_stream", rows=ROWS, limit="1Gi")
def test_own_batches_over_stream(membudget):
    result = membudget.check()
    assert result.growth in ("constant", "bounded")
    assert result.peak_bytes < 100 * 1024**2
