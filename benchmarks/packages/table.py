"""What the gate says of public packages, as the tables of docs/packages.md.

    python benchmarks/packages/table.py wagtail-sqlite.json wagtail-postgresql.json

The files are what ``--membudget-json`` wrote; explanations.toml says why a verdict is not a pass.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from pytest_membudget.reports import cells
from pytest_membudget.reports.reader import merge, read_document

EXPLANATIONS = Path(__file__).with_name("explanations.toml")


def main() -> None:
    results = merge([read_document(path) for path in sys.argv[1:]])
    explained = tomllib.loads(EXPLANATIONS.read_text(encoding="utf-8"))
    measured = cells.measured(results)
    print(f"Of {len(results)} migrations {len(measured)} had something to measure.\n")
    print("| app | migrations | measured | seconds each |")
    print("| --- | --: | --: | --: |")
    for app in sorted({app_of(result) for result in measured}):
        whole = [result for result in results if app_of(result) == app]
        seconds = [result["duration_s"] for result in measured if app_of(result) == app]
        mean = sum(seconds) / len(seconds)
        print(f"| {app} | {len(whole)} | {len(seconds)} | {mean:.0f} |")
    print("\n| migration | database | peak | verdict | seconds | why |")
    print("| --- | --- | --: | --- | --: | --- |")
    for result in sorted(measured, key=lambda one: one["migration"]):
        print(
            f"| {result['migration']} | {cells.vendor(result)} | {cells.short_peak(result)} | "
            f"{result['verdict']} | {result['duration_s']:.0f} | "
            f"{explained.get(result['migration'], '')} |"
        )


def app_of(result: dict[str, Any]) -> str:
    return str(result["migration"].partition(".")[0])


if __name__ == "__main__":
    main()
