"""How many migrations the gate decides with no seed and no test written.

    python benchmarks/decided.py packages --database postgresql
    python benchmarks/decided.py applications --database postgresql
    python benchmarks/decided.py cases=FOLDER --database postgresql

``packages`` are those of benchmarks/packages, ``applications`` those of benchmarks/applications,
each installed into an environment of its own, and ``cases`` the projects below FOLDER, with what
must come out of them in its expected.json.  PostgreSQL is the server that PGHOST and its like name:
put ``python tests/servers.py`` before the command to start one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports.document import read_document

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
_COLUMNS = (
    *("project", "migrations", "measured", "within", "exceeds", "inconclusive", "error"),
    *("decided", "seconds"),
)


@dataclass(frozen=True)
class Project:
    """A folder in which ``arguments`` are given to pytest, by ``python``.

    ``expected`` are the verdicts that must come out, by the name of a test or by a migration.
    """

    name: str
    folder: Path
    python: Path
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)


def packages(_: Path, __: Path) -> Iterator[Project]:
    for name in ("accounts", "cms", "oscar", "wagtail"):
        folder, python = HERE / "packages", Path(sys.executable)
        yield Project(name, folder, python, environment={"PACKAGE": name})


def applications(_: Path, scratch: Path) -> Iterator[Project]:
    """Each requires versions of its own, so it has an environment of its own."""
    for requirements in sorted((HERE / "applications").glob("*.txt")):
        folder = scratch / requirements.stem
        venv.create(folder, with_pip=True)
        python = folder / "bin" / "python"
        install = [str(python), "-m", "pip", "install", "-q", "-r", str(requirements)]
        subprocess.run([*install, "-e", f"{HERE.parent}[test]"], check=True)
        name = requirements.stem
        arguments = (f"--ds={name}_settings",)
        yield Project(name, HERE / "applications", python, arguments)


def cases(folder: Path, _: Path) -> Iterator[Project]:
    """The marked tests of each, and the gate on its app."""
    python = Path(sys.executable)
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for name, said in expected.items():
        tests = {key: verdict for key, verdict in said.items() if key.startswith("test_")}
        gated = {key: verdict for key, verdict in said.items() if key.isdigit()}
        if tests:
            yield Project(name, folder / name, python, ("test_budget.py",), expected=tests)
        if gated:
            gate = f"--membudget-gate={said['app']}", f"--membudget-limit={said['limit']}"
            arguments = (*gate, "-o", "python_files=", *said.get("args", ()))
            yield Project(f"{name}, gate", folder / name, python, arguments, expected=gated)


SETS = {"packages": packages, "applications": applications, "cases": cases}
_VARIABLES = ("PACKAGES_DATABASE", "APPLICATIONS_DATABASE", "CASES_DATABASE")


def run(project: Project, database: str, folder: Path) -> Sequence[Result]:
    path = folder / f"{project.name}_{database}.json"
    path.unlink(missing_ok=True)
    command = [str(project.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2"]
    command += ["--membudget-attribution=never", f"--membudget-json={path}", *project.arguments]
    variables = {**project.environment, **dict.fromkeys(_VARIABLES, database)}
    subprocess.run(
        command,
        cwd=project.folder,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return read_document(str(path)).results


def row_of(name: str, results: Sequence[Result], seconds: float) -> dict[str, Any]:
    measured = [one for one in results if is_measured(one)]
    counts = Counter(result.verdict for result in measured)
    return with_share(
        {"project": name, "migrations": len(results), "measured": len(measured)}
        | {verdict: counts[verdict] for verdict in Verdict}
        | {"seconds": round(seconds)}
    )


def is_measured(result: Result) -> bool:
    """Whether it had something to measure: not what the database does by itself, as DDL, nor what
    is for another one and was not run.
    """
    elsewhere = not result.samples and "for another database" in result.reason
    return not elsewhere and bool(result.samples or not result.ok)


def with_share(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the share of what was measured that has a verdict."""
    decided = row["within"] + row["exceeds"]
    return {**row, "decided": f"{decided / row['measured']:.0%}" if row["measured"] else ""}


def line_of(row: dict[str, Any]) -> str:
    return f"| {' | '.join(str(row[column]) for column in _COLUMNS)} |"


def wrong_of(project: Project, results: Sequence[Result]) -> Iterator[str]:
    """What came out otherwise than it must."""
    for key, verdict in project.expected.items():
        found = [one for one in results if key in (one.nodeid.rpartition("::")[2], _number(one))]
        if not found:
            yield f"{project.name}: no result of {key}"
        for one in found:
            if one.verdict != verdict:
                yield f"{project.name}: {key} must be {verdict}: {one.reason}"


def _number(result: Result) -> str:
    """0002 of shop.0002_backfill."""
    return result.migration.rpartition(".")[2][:4]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", help="packages, applications, or cases=FOLDER")
    parser.add_argument("--database", default="sqlite", choices=("sqlite", "postgresql"))
    parser.add_argument("--keep", metavar="FOLDER", help="keep the results, for packages/table.py")
    parser.add_argument("--only", action="append", metavar="NAME", help="this project alone")
    options = parser.parse_args()
    name, _, folder = options.set.partition("=")
    rows: list[dict[str, Any]] = []
    wrong: list[str] = []
    print(f"| {' | '.join(_COLUMNS)} |")
    print(f"| --- |{' --: |' * (len(_COLUMNS) - 1)}")
    with tempfile.TemporaryDirectory() as scratch:
        for project in SETS[name](Path(folder).absolute(), Path(scratch)):
            if options.only and project.name not in options.only:
                continue
            begin = time.monotonic()
            results = run(project, options.database, Path(options.keep or scratch).absolute())
            rows.append(row_of(project.name, results, time.monotonic() - begin))
            wrong += wrong_of(project, results)
            print(line_of(rows[-1]), flush=True)
    numbers = [key for key in _COLUMNS if key not in ("project", "decided")]
    total = {key: sum(row[key] for row in rows) for key in numbers}
    print(line_of(with_share({"project": "**all**", **total})))
    print("\n".join(wrong))
    path = RESULTS / f"decided_{name}_{options.database}.json"
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
