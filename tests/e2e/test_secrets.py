"""Secrets are planted wherever a project has some; whatever a run leaves is searched for them."""

from __future__ import annotations

import contextlib
import json
import os
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from profiles import membudget
from project import FEW, LIMIT, STREAM, Project

from pytest_membudget.project.secrets import MASK

# What is searched for is the beginning of each: a part of a secret is one as well.
PLANTED = {
    "SECRET_KEY": "plantedkey-7f31c2",
    "nested API_KEY": "plantednested-04be19",
    "password": "plantedpassword-58d0aa",
    "TOKEN": "plantedtoken-93ce47",
    "address": "plantedaddress-b2e68f",
    "literal": "plantedliteral-1d95",
    "row": "plantedrow-6a07",
}
SETTINGS = """
SECRET_KEY = {SECRET_KEY!r}
PAYMENTS = {{"providers": [{{"name": "one", "API_KEY": {nested!r}}}]}}
DATABASES["default"]["PASSWORD"] = {password!r}
if "postgresql" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["USER"] = "planted_role"
"""
SEEDS = """
import os
from django.conf import settings

def rows(apps, rows, using):
    from plants import ROW
    customer = apps.get_model("shop", "Customer").objects.create(email="one@example.com")
    Order = apps.get_model("shop", "Order")
    Order.objects.bulk_create(
        Order(customer=customer, number=f"N-{n}", note=f"{ROW}-{n}", price=n)
        for n in range(rows["shop.Order"])
    )

def failing(apps, rows, using):
    print("seeding with", os.environ["TOKEN"])
    raise ValueError(f"no rows from {os.environ['BROKER']}: {settings.PAYMENTS}")
"""
# No literal stands whole in the source: a line of it may be shown.
PLANTS = """
ROW = "".join(["planted", "row-6a07"])
LITERAL = "".join(["planted", "literal-1d95"])
"""
# Empty tables are those of the state before a later migration, which has to be built.
HEAD = """
    import os
    from django.conf import settings
    from django.db import connection
    from plants import LITERAL, ROW

    def forwards(apps, schema_editor):
        Order = apps.get_model("shop", "Order")
        if not Order.objects.exists():
            return
"""
LEAKS = {
    "asked": "list(Order.objects.filter(note=os.environ['TOKEN']))",
    "raw_literal": """
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM shop_order WHERE note = '{LITERAL}'")
            cursor.fetchall()
        list(Order.objects.values_list("id"))
    """,
    "duplicate": """
        first, last = Order.objects.order_by("id")[:2]
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE shop_order SET number = '{LITERAL}' WHERE id = {first.id}")
            cursor.execute(f"UPDATE shop_order SET number = '{LITERAL}' WHERE id = {last.id}")
    """,
    "invalid": """
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(f"SELECT '{LITERAL}' FROM FROM")
            cursor.execute("SELECT CAST(note AS integer) FROM shop_order")
            cursor.fetchall()
    """,
    "wrapped": """
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"INSERT INTO shop_customer (email) SELECT note FROM shop_order")
                cursor.execute(f"INSERT INTO shop_customer (email) SELECT note FROM shop_order")
        except Exception as error:
            print("it says", error)
            raise RuntimeError(f"could not be copied: {error}")
    """,
    "raised": """
        secrets = [settings.SECRET_KEY, settings.PAYMENTS, settings.DATABASES, dict(os.environ)]
        raise RuntimeError(f"with {secrets}")
    """,
    "connected": """
        import psycopg
        psycopg.connect(f"{os.environ['BROKER']}?nonsense={settings.SECRET_KEY}")
    """,
    "killed": """
        print("settings:", settings.PAYMENTS, settings.DATABASES["default"], settings.SECRET_KEY)
        print("calling", os.environ["BROKER"], os.environ["TOKEN"], flush=True)
        import time
        time.sleep(0.5)
        os.kill(os.getpid(), 9)
    """,
}
GATE = ("--membudget-limit=512Mi", "--membudget-rows=shop.Order=15")


@pytest.fixture
def planted(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    """The project, with every kind of secret in it and a temporary folder of its own."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    variables = {
        "TOKEN": PLANTED["TOKEN"],
        "BROKER": f"postgresql://somebody:{PLANTED['address']}@127.0.0.1:1/broker",
        "TMPDIR": str(temporary),
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(project.path / "summary.md"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    project.add("settings.py", SETTINGS.format(**PLANTED, nested=PLANTED["nested API_KEY"]))
    project.write("seeds.py", SEEDS)
    project.write("plants.py", PLANTS)
    project.attribution = None
    if project.vendor == "sqlite":
        yield project
        return
    with psycopg.connect("dbname=postgres", autocommit=True) as admin:
        admin.execute(f"CREATE ROLE planted_role LOGIN SUPERUSER PASSWORD '{PLANTED['password']}'")
        try:
            yield project
        finally:
            admin.execute("DROP ROLE planted_role")


class Listings:
    """What every process was called with, looked at all the time, and what folders it made."""

    def __init__(self, temporary: Path) -> None:
        self.seen: set[str] = set()
        self.open_to_others: set[str] = set()
        self._temporary = temporary
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Listings:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.05):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen.add(process.read_text(errors="replace"))
            for folder in self._temporary.glob("membudget-*"):
                with contextlib.suppress(OSError):
                    if folder.stat().st_mode & 0o077:
                        self.open_to_others.add(folder.name)


def leaks(text: str) -> dict[str, str]:
    """The kinds of secrets of which the beginning is in a text, each with what stands around."""
    found = {}
    for kind, secret in PLANTED.items():
        start = secret.partition("-")[0]
        if (at := text.find(start)) >= 0:
            found[kind] = text[max(0, at - 200) : at + 60]
    return found


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


OUTPUTS = (
    "--membudget-json=out/results.json",
    "--membudget-html=out/report.html",
    "--membudget-markdown=out/report.md",
    "--junit-xml=out/junit.xml",
    "-rA",
    "--log-file=out/log",
    "--log-level=DEBUG",
)


def results(project: Project, *arguments: str) -> list[dict[str, Any]]:
    """What a run has found, in which no secret is shown."""
    with Listings(Path(os.environ["TMPDIR"])) as listings:
        result = project.run(*OUTPUTS, *arguments)
    assert leaks(said(result)) == {}
    outputs = [*files_below(project.path / "out"), project.path / "summary.md"]
    assert len(outputs) >= 6
    for path in outputs:
        assert (path.name, leaks(path.read_text())) == (path.name, {})
    left = files_below(Path(os.environ["TMPDIR"]))
    assert [path for path in left if leaks(path.read_text(errors="replace"))] == []
    assert leaks("\n".join(listings.seen)) == {}
    assert any("pytest_membudget.processes.worker." in one for one in listings.seen)
    assert listings.open_to_others == set()
    return list(json.loads((project.path / "out/results.json").read_text())["results"])


def add_migrations(project: Project, *leaks: str) -> list[str]:
    """One for each leak; returns their names."""
    names = [f"{number:04}_{leak}" for number, leak in enumerate(leaks, 2)]
    for name, leak in zip(names, leaks, strict=True):
        body = textwrap.indent(textwrap.dedent(LEAKS[leak]).strip(), 8 * " ")
        project.migration(name, f"{HEAD}{body}\n")
    return names


def test_no_secret_of_a_marked_test_is_shown(planted: Project, vendor: str) -> None:
    names = add_migrations(planted, *LEAKS)
    seeds = [*((name, "rows") for name in names), (names[0], "failing")]
    planted.budgets(*((f'"shop.{name}"', FEW, LIMIT, f'seed="seeds.{its}"') for name, its in seeds))
    verdicts = [one["verdict"] for one in results(planted, "-vv")]
    assert verdicts == ["inconclusive", "within", *("error" for _ in seeds[2:])]


def test_no_secret_of_the_gate_is_shown(planted: Project, vendor: str) -> None:
    more = ["raised", "raw_literal"] if vendor == "sqlite" else []  # which no engine has a part in
    names = add_migrations(planted, "asked", "duplicate", *more)
    found = results(planted, "-v", "--membudget-gate=all", *GATE)
    verdicts = {one["migration"]: one for one in found}
    for name in names[1:3]:
        assert verdicts[f"shop.{name}"]["verdict"] == "error"
    asked = verdicts[f"shop.{names[0]}"]
    assert "shop_order.note = a value that the code computes" in str(asked["findings"])


SAYS = "no broker at {os.environ['BROKER']} for {settings.SECRET_KEY} and {settings.PAYMENTS}"


def test_no_secret_is_shown_where_a_migration_cannot_be_imported(planted: Project) -> None:
    planted.write(
        "shop/migrations/0002_raises.py",
        f"import os\nfrom django.conf import settings\nraise RuntimeError(f{SAYS!r})\n",
    )
    result = planted.run("--membudget-gate=all", *GATE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "the project's migrations can't be loaded: RuntimeError: no broker at" in said(result)
    assert leaks(said(result)) == {}


def test_no_secret_is_shown_where_the_server_process_cannot_start(planted: Project) -> None:
    planted.write(
        "shop/apps.py",
        "import os, sys\nfrom django.apps import AppConfig\nfrom django.conf import settings\n"
        "class Shop(AppConfig):\n    name = 'shop'\n    def ready(self):\n"
        f"        if 'pytest' not in sys.modules:\n            raise RuntimeError(f{SAYS!r})\n",
    )
    planted.check(STREAM)
    result = planted.run("-vv")
    assert "RuntimeError: no broker at" in said(result)
    assert leaks(said(result)) == {}


def test_no_secret_is_shown_where_a_profile_cannot_be_taken(planted: Project) -> None:
    address = {"HOST": PLANTED["password"], "PASSWORD": PLANTED["password"], "OPTIONS": {}}
    engine = "'ENGINE': 'django.db.backends.postgresql'"
    planted.add(
        "settings.py", f"DATABASES['default'] |= {{**{address!r}, 'NAME': SECRET_KEY, {engine}}}"
    )
    done = membudget(planted.path, "--database", "default")
    assert done.returncode == 2
    assert MASK in done.stderr
    assert leaks(done.stdout + done.stderr) == {}


def said(result: pytest.RunResult) -> str:
    return result.stdout.str() + result.stderr.str()
