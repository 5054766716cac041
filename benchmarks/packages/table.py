"""What the gate says of public packages, as the tables of docs/packages.md.

    python benchmarks/packages/table.py wagtail-sqlite.json wagtail-postgresql.json

The files are what ``--membudget-json`` wrote; explanations.toml says why a verdict is not a pass.
"""

from __future__ import annotations

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports import cells
from pytest_membudget.reports.document import merge, read_document

_ELSEWHERE = "for another database"
EXPLANATIONS = Path(__file__).with_name("explanations.toml")


def main() -> None:
    results = merge([read_document(path) for path in sys.argv[1:]])
    explained = tomllib.loads(EXPLANATIONS.read_text(encoding="utf-8"))
    found: dict[str, dict[str, Result]] = {}
    for result in results:
        # The others only have the database do something by itself.
        if not (result.samples or not result.ok):
            continue
        found.setdefault(result.migration, {})[cells.vendor(result)] = result
    vendors = sorted({vendor for by_vendor in found.values() for vendor in by_vendor})
    every = {result.migration for result in results}
    for vendor in vendors:
        listed = [by_vendor[vendor] for by_vendor in found.values() if vendor in by_vendor]
        those = [one for one in listed if one.samples or _ELSEWHERE not in one.reason]
        decided = sum(one.verdict in (Verdict.WITHIN, Verdict.EXCEEDS) for one in those)
        print(
            f"On {vendor} {len(those)} of {len(every)} migrations had something to measure, and "
            f"{decided} of these are decided ({decided / len(those):.0%})."
        )
        if others := len(listed) - len(those):
            print(f"{others} more are {_ELSEWHERE}: their code was not run, and is not counted.")
    print(
        f"\n| app | migrations | {' | '.join(f'{v}: measured | seconds each' for v in vendors)} |"
    )
    print(f"| --- | --: |{' --: | --: |' * len(vendors)}")
    for app in sorted({app_of(migration) for migration in found}):
        row = [app, str(sum(app_of(migration) == app for migration in every))]
        for vendor in vendors:
            seconds = [
                by_vendor[vendor].duration_s
                for migration, by_vendor in found.items()
                if vendor in by_vendor and app_of(migration) == app
            ]
            row += [str(len(seconds)), f"{sum(seconds) / len(seconds):.0f}" if seconds else ""]
        print(f"| {' | '.join(row)} |")
    print(
        f"\n| migration | {' | '.join(f'{v}: peak | verdict | seconds' for v in vendors)} | why |"
    )
    print(f"| --- |{' --: | --- | --: |' * len(vendors)} --- |")
    for migration, by_vendor in sorted(found.items()):
        row = [migration]
        for vendor in vendors:
            one = by_vendor.get(vendor)
            row += ["", "", ""] if one is None else _cells(one)
        print(f"| {' | '.join(row)} | {explained.get(migration, '')} |")


def _cells(result: Result) -> list[str]:
    return [cells.short_peak(result), str(result.verdict), f"{result.duration_s:.0f}"]


def app_of(migration: str) -> str:
    return migration.partition(".")[0]


if __name__ == "__main__":
    main()
