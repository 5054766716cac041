"""How long a check takes as production grows: its cost must not grow with the row count.

python benchmarks/cost.py
"""

from __future__ import annotations

from dataclasses import replace

from cases import chosen
from lab import check_case, keep, open_servers

from pytest_membudget.units import MIB

NAMES = ("readings.0003_iterator", "readings.0024_own_batches_over_list")
PRODUCTION = (10**5, 10**6, 10**7, 10**8, 10**9)
LIMIT = 512 * MIB


def main() -> None:
    rows = []
    with open_servers() as servers:
        for case in chosen(NAMES):
            for count in PRODUCTION:
                result = check_case(replace(case, rows={"readings.Reading": count}), LIMIT, servers)
                sizes = [sample.size for sample in result.samples]
                print(f"{case.migration} {count:,}: {result.duration_s:.1f} s, {result.verdict}")
                rows.append(
                    {"migration": case.migration, "rows": count, "verdict": result.verdict}
                    | {"check_s": round(result.duration_s, 1), "sizes": sizes}
                )
        keep("cost", rows, servers)


if __name__ == "__main__":
    main()
