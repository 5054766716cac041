"""JSON documents of 4 KiB and a number computed from each, in a Kubernetes job with 256Mi."""

import pytest

from documents.seeds import seed_documents


def documents(migration):
    return pytest.mark.membudget(
        f"documents.{migration}",
        rows={"documents.Document": 50_000},
        limit="256Mi",
        seed=seed_documents,
        time_budget=80,
    )


@pytest.mark.xfail(strict=True, reason="keeps every document: SQLite 852, PostgreSQL 1,048 MiB")
@documents("0002_queryset")
def test_queryset(): ...


@documents("0003_iterator")
def test_iterator(): ...


@pytest.mark.xfail(strict=True, reason="collects what it streamed: SQLite 723, PostgreSQL 737 MiB")
@documents("0004_iterator_then_bulk_update")
def test_iterator_then_bulk_update(): ...


@documents("0005_paginator")
def test_paginator(membudget):
    assert membudget.check().growth in ("constant", "bounded")


@documents("0006_paginator_bulk_update")
def test_paginator_bulk_update(membudget):
    assert membudget.check().growth in ("constant", "bounded")
