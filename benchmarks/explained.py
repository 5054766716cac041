"""How much of the measured growth the lines explain, in results of --membudget-json.

python benchmarks/explained.py sqlite.json postgresql.json
"""

from __future__ import annotations

import sys

from rich import box
from rich.console import Console
from rich.table import Table

from pytest_membudget.reports.document import merge, read_document


def main() -> None:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("migration")
    table.add_column("database")
    for column in ("bytes a row", "the lines", "with the allocator's own"):
        table.add_column(column, justify="right")
    for result in merge([read_document(path) for path in sys.argv[1:]]):
        lines = result.attribution
        if not lines:
            continue
        named = sum(line.share for line in lines if line.kind != "allocator")
        whole = sum(line.share for line in lines)
        table.add_row(
            result.migration,
            result.database.vendor,
            f"{result.bytes_per_row or 0:,}",
            f"{named:.0%}",
            f"{whole:.0%}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
