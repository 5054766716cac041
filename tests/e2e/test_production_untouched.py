"""None of the ways in which a project or a migration reaches a database changes production's.

Each way is a check of a migration that tries it, beside production's databases, filled and
fingerprinted.  They are real ones of the configured kind, at the addresses that the settings name.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import servers
from project import Project

FORWARDS = """
import os, subprocess, sys

def write(cursor):
    cursor.execute("DELETE FROM shop_order")

def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    list(Order.objects.using(schema_editor.connection.alias).all())
    open("tried", "w").close()
"""

# What a child process runs: it loads the settings by itself.
EMPTIES = """
import os, sys
sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = sys.argv[1] if len(sys.argv) > 1 else "settings"
import django
django.setup()
from django.db import connections
for alias in ("default", "other"):
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("DELETE FROM shop_order")
    except Exception as error:
        print(error)
open("child_tried", "w").close()
"""

ENGINE_BASE = """
from django.db.backends.{vendor}.base import DatabaseWrapper as Original
from django.db.backends.{vendor} import base
"""


@dataclass(frozen=True)
class Way:
    """``body`` follows in the migration's function, ``settings`` in the settings module.

    ``PRODUCTION`` and ``OTHER`` are the NAMEs of the two production databases, ``RAW`` opens a
    driver's own connection to a NAME.  ``child`` says that a child process has to have tried.
    """

    body: str = "pass"
    settings: str = ""
    files: dict[str, str] = field(default_factory=dict)
    vendors: tuple[str, ...] = ("sqlite", "postgresql")
    budget: tuple[str, ...] = ()
    child: bool = False
    atomic: bool = True


def engine(code: str) -> dict[str, str]:
    return {"engine/__init__.py": "", "engine/base.py": ENGINE_BASE + code}


USE_ENGINE = "DATABASES['default']['ENGINE'] = 'engine'"
OWN_PARAMETERS = """
class DatabaseWrapper(Original):
    def get_connection_params(self):
        name = "database" if self.vendor == "sqlite" else "dbname"
        return {**super().get_connection_params(), name: PRODUCTION}
"""
OWN_CONNECTION = """
class DatabaseWrapper(Original):
    def get_new_connection(self, conn_params):
        name = "database" if self.vendor == "sqlite" else "dbname"
        return super().get_new_connection({**conn_params, name: PRODUCTION})
"""
POOL_BY_ALIAS = """
POOL = {}

class DatabaseWrapper(Original):
    def get_new_connection(self, conn_params):
        if self.alias not in POOL:
            name = "database" if self.vendor == "sqlite" else "dbname"
            POOL[self.alias] = super().get_new_connection({**conn_params, name: PRODUCTION})
        return POOL[self.alias]

    def _close(self):
        self.connection = None
"""
READY = """
from django.apps import AppConfig

class ShopConfig(AppConfig):
    name = "shop"

    def ready(self):
        import sys
        if "pytest" in sys.modules:
            return
        from django.db import connections
        {body}
"""
START = (
    "with multiprocessing.get_context({method!r}).Pool(1) as pool: pool.map(shop.work.empty, [0])"
)
WORK = {
    "shop/work.py": """
def empty(_):
    import os, django
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    django.setup()
    from django.db import connections
    for alias in ("default", "other"):
        try:
            connections[alias].close()
            with connections[alias].cursor() as cursor:
                cursor.execute("DELETE FROM shop_order")
        except Exception as error:
            print(error)
    open("child_tried", "w").close()
"""
}


def pool(method: str) -> Way:
    body = f"import multiprocessing, shop.work\nschema_editor.connection.close()\n{START}"
    return Way(body.format(method=method), files=WORK, child=True, atomic=False)


ROUTER = """
class Router:
    def db_for_read(self, model, **hints): return "other"
    db_for_write = db_for_read
    def allow_migrate(self, *args, **hints): return True
"""
WAYS = {
    "plain": Way(),
    "alias": Way("Order.objects.using('other').all().delete()"),
    "alias-swallowed": Way(
        "try: Order.objects.using('other').all().delete()\nexcept Exception: pass"
    ),
    "alias-cursor": Way(
        "from django.db import connections\nwith connections['other'].cursor() as c: write(c)"
    ),
    "router": Way(
        "Order.objects.all().delete()",
        settings="DATABASE_ROUTERS = ['routers.Router']",
        files={"routers.py": ROUTER},
    ),
    "mirror": Way(
        "Order.objects.using('other').all().delete()",
        settings="DATABASES['other']['TEST'] = {'MIRROR': 'default'}",
        atomic=False,
    ),
    "same-address": Way(
        "Order.objects.using('replica').all().delete()",
        settings="DATABASES['replica'] = {**DATABASES['default']}",
        atomic=False,
    ),
    "test-settings": Way(settings="DATABASES['default']['TEST'] = {'NAME': PRODUCTION}"),
    "options": Way(
        settings="DATABASES['default']['OPTIONS'] = "
        "{'database' if 'sqlite' in DATABASES['default']['ENGINE'] else 'dbname': PRODUCTION}"
    ),
    "engine-parameters": Way(settings=USE_ENGINE, files=engine(OWN_PARAMETERS)),
    "engine-connection": Way(settings=USE_ENGINE, files=engine(OWN_CONNECTION)),
    "engine-pool": Way(settings=USE_ENGINE, files=engine(POOL_BY_ALIAS)),
    "psycopg-pool": Way(
        "Order.objects.all().delete()",
        settings="DATABASES['default']['OPTIONS'] = {'pool': True}",
        vendors=("postgresql",),
    ),
    "raw-connection": Way("c = RAW(PRODUCTION)\nwrite(c.cursor())\nc.commit()"),
    "raw-swallowed": Way(
        "try:\n    c = RAW(PRODUCTION)\n    write(c.cursor())\n    c.commit()\nexcept Exception: pass"
    ),
    "changed-name": Way(
        "from django.db import connections\n"
        "schema_editor.connection.close()\n"
        "schema_editor.connection.settings_dict['NAME'] = PRODUCTION\n"
        "with schema_editor.connection.cursor() as c: write(c)",
        atomic=False,
    ),
    "new-wrapper": Way(
        "wrapper = schema_editor.connection\n"
        "new = type(wrapper)({**wrapper.settings_dict, 'NAME': PRODUCTION}, 'default')\n"
        "with new.cursor() as c: write(c)"
    ),
    "added-alias": Way(
        "from django.db import connections\n"
        "connections.settings['late'] = {**connections.settings['default'], 'NAME': PRODUCTION}\n"
        "with connections['late'].cursor() as c: write(c)",
        atomic=False,
    ),
    "added-other-alias": Way(
        "from django.db import connections\n"
        "connections.settings['late'] = {**connections.settings['default'], 'NAME': OTHER}\n"
        "with connections['late'].cursor() as c: write(c)"
    ),
    "new-handler": Way(
        "from django.db.utils import ConnectionHandler\n"
        "from django.conf import settings\n"
        "old = settings.DATABASES['default']\n"
        "new = ConnectionHandler({'default': {**old, 'NAME': PRODUCTION}})\n"
        "with new['default'].cursor() as c: write(c)",
        atomic=False,
    ),
    "thread": Way(
        "import threading\n"
        "from django.db import connections\n"
        "def work():\n"
        "    connections.settings['default']['NAME'] = PRODUCTION\n"
        "    with connections['default'].cursor() as c: write(c)\n"
        "thread = threading.Thread(target=work)\nthread.start()\nthread.join()",
        atomic=False,
    ),
    "ready-adds-alias": Way(
        "from django.db import connections\nwith connections['late'].cursor() as c: write(c)",
        files={
            "shop/apps.py": READY.format(
                body="connections.settings['late'] = "
                "{**connections.settings['default'], 'NAME': PRODUCTION}"
            )
        },
        atomic=False,
    ),
    "ready-writes": Way(
        files={
            "shop/apps.py": READY.format(
                body="connections['default'].cursor().execute('CREATE TABLE IF NOT EXISTS x (a int)')"
            )
        },
    ),
    "call-command": Way(
        "from django.core.management import call_command\n"
        "call_command('flush', database='other', interactive=False)"
    ),
    "manage-py": Way("subprocess.run([sys.executable, 'empties.py'], check=True)", child=True),
    "manage-py-other-settings": Way(
        "subprocess.run([sys.executable, 'empties.py', 'settings_of_production'], check=True)",
        child=True,
    ),
    "manage-py-own-environment": Way(
        "env = {name: os.environ[name] for name in ('PATH', 'PGHOST', 'PGPORT', 'PGUSER', "
        "'PGPASSWORD') if name in os.environ}\n"
        "subprocess.run([sys.executable, 'empties.py'], check=True, env=env)",
        child=True,
    ),
    "manage-py-cleared-environment": Way(
        "os.environ.pop('PYTHONPATH', None)\nos.environ.pop('MEMBUDGET_TARGET', None)\n"
        "subprocess.run([sys.executable, 'empties.py'], check=True)",
        child=True,
    ),
    "manage-py-by-shell": Way("os.system(f'{sys.executable} empties.py')", child=True),
    "manage-py-detached": Way(
        "subprocess.Popen([sys.executable, 'empties.py'], start_new_session=True).wait()",
        child=True,
    ),
    "python-isolated": Way("subprocess.run([sys.executable, '-I', 'empties.py'], check=True)"),
    "python-exec": Way(
        "pid = os.fork()\n"
        "if pid == 0: os.execve(sys.executable, [sys.executable, 'empties.py'], "
        "{k: v for k, v in os.environ.items() if not k.startswith(('PYTHONPATH', 'MEMBUDGET'))})\n"
        "os.waitpid(pid, 0)",
        child=True,
    ),
    "fork": pool("fork"),
    "spawn": pool("spawn"),
    "forkserver": pool("forkserver"),
    "client-program": Way(
        "import shutil\n"
        "program = {'sqlite': ['sqlite3', PRODUCTION], 'postgresql': ['psql', '-d', PRODUCTION, '-c']}"
        "[schema_editor.connection.vendor]\n"
        "subprocess.run([*program, 'DELETE FROM shop_order'], check=True)"
    ),
    "attach": Way(
        "with schema_editor.connection.cursor() as c:\n"
        "    c.execute(f\"ATTACH '{PRODUCTION}' AS production\")\n"
        "    c.execute('DELETE FROM production.shop_order')",
        vendors=("sqlite",),
        atomic=False,
    ),
    "attach-on-connect": Way(
        "with schema_editor.connection.cursor() as c: c.execute('DELETE FROM production.shop_order')",
        settings="DATABASES['default']['OPTIONS'] = "
        "{'init_command': f\"ATTACH '{PRODUCTION}' AS production\"}",
        vendors=("sqlite",),
    ),
    "vacuum-into": Way(
        "with schema_editor.connection.cursor() as c: c.execute(f\"VACUUM INTO '{OTHER}.copy'\")",
        vendors=("sqlite",),
        atomic=False,
    ),
    "read-only": Way(
        "import sqlite3\n"
        "c = sqlite3.connect(f'file:{PRODUCTION}?mode=ro', uri=True)\n"
        "try: write(c)\nexcept sqlite3.OperationalError: pass",
        vendors=("sqlite",),
    ),
    "temporary-file": Way(
        "import sqlite3, tempfile\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    for _ in range(2):\n"
        "        with sqlite3.connect(folder + '/x.sqlite3') as c: c.execute('CREATE TABLE IF NOT EXISTS a (b)')",
    ),
    "atexit": Way(
        "import atexit\nfrom django.db import connections\n"
        "def work():\n"
        "    connections['default'].close()\n"
        "    connections['default'].settings_dict['NAME'] = PRODUCTION\n"
        "    with connections['default'].cursor() as c: write(c)\n"
        "atexit.register(work)"
    ),
    "seed": Way(
        files={
            "seeds.py": """
            def seed(apps, rows, using):
                from django.db import connections
                Customer, Order = (apps.get_model("shop", n) for n in ("Customer", "Order"))
                customer = Customer.objects.using(using).create(email="a@example.com")
                Order.objects.using(using).bulk_create(
                    Order(customer=customer, number=str(n), note="x", price=n)
                    for n in range(rows["shop.Order"])
                )
                try:
                    Order.objects.using("other").all().delete()
                except Exception as error:
                    print(error)
            """
        },
        budget=('seed="seeds.seed"',),
    ),
}
# Those that end with an answer: what they did stayed in the scratch database.
HARMLESS = {
    "plain", "mirror", "same-address", "test-settings", "options", "psycopg-pool", "ready-writes",
    "added-alias", "new-handler", "thread", "ready-adds-alias", "read-only", "temporary-file", "seed",
}  # fmt: skip


@dataclass(frozen=True)
class Production:
    """Two databases that must stay as they are: what the settings name, and another one."""

    names: tuple[str, str]
    fingerprint: Callable[[], object]


SQL = [
    "CREATE TABLE shop_order (id integer, note text)",
    "INSERT INTO shop_order VALUES (1, 'real'), (2, 'rows')",
]


@pytest.fixture
def production(
    project: Project, vendor: str, request: pytest.FixtureRequest
) -> Iterator[Production]:
    if vendor == "sqlite":
        paths = [project.path / "production.sqlite3", project.path / "other.sqlite3"]
        for path in paths:
            connection = sqlite3.connect(path)
            with connection:
                for statement in SQL:
                    connection.execute(statement)
            connection.close()
        yield Production((str(paths[0]), str(paths[1])), lambda: _of_files(project.path))
        return
    server = request.getfixturevalue("postgresql")
    names = ("production", "other")
    with server.connect() as admin:
        for name in names:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {name}")
    for name in names:
        with server.connect(name) as connection:
            for statement in SQL:
                connection.execute(statement)
    yield Production(names, lambda: [_of_database(server, name) for name in names])
    with server.connect() as admin:
        for name in names:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _of_files(folder: Path) -> object:
    """Of every SQLite file in the project, also of one that a way has made."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.glob("*.sqlite3*")
    }


def _of_database(server: servers.Server, name: str) -> object:
    with server.connect(name) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema "
            "NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        ).fetchall()
        return [
            (schema, table, connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall())
            for schema, table in tables
        ]


def _raw(vendor: str) -> str:
    if vendor == "sqlite":
        return "def RAW(name):\n    import sqlite3\n    return sqlite3.connect(name)\n"
    return (
        "def RAW(name):\n    import os, psycopg\n"
        "    return psycopg.connect(dbname=name, host=os.environ['PGHOST'], "
        "port=os.environ['PGPORT'], user=os.environ['PGUSER'], password=os.environ['PGPASSWORD'])\n"
    )


def prepare(project: Project, vendor: str, way: Way, names: tuple[str, str]) -> None:
    known = f"PRODUCTION, OTHER = {names!r}\n"
    with (project.path / "settings.py").open("a") as file:
        file.write(f"{known}DATABASES['default']['NAME'] = PRODUCTION\n")
        file.write("DATABASES['other'] = {**DATABASES['default'], 'NAME': OTHER}\n")
        file.write(f"{way.settings}\n")
    settings = (project.path / "settings.py").read_text()
    project.write("settings_of_production.py", f"{settings}\nDEBUG = False\n")
    project.write("empties.py", EMPTIES)
    for name, text in way.files.items():
        text = text.replace("{vendor}", {"sqlite": "sqlite3"}.get(vendor, vendor))
        project.write(name, text)
        if name.endswith(("base.py", "apps.py")):
            path = project.path / name
            path.write_text(known + path.read_text())
    body = "".join(f"    {line}\n" for line in way.body.splitlines())
    project.migration("0002_it", known + _raw(vendor) + FORWARDS + body, atomic=way.atomic)
    budget = ('"shop.0002"', 'rows={"shop.Order": 100}', 'limit="512Mi"', *way.budget)
    project.budget(*budget)


CASES = [(name, vendor) for name, way in WAYS.items() for vendor in way.vendors]


@pytest.mark.parametrize(("name", "vendor"), CASES, ids=lambda part: part)
def test_production_is_left_as_it_is(
    project: Project, production: Production, name: str, vendor: str
) -> None:
    way = WAYS[name]
    prepare(project, vendor, way, production.names)
    before = production.fingerprint()
    result = project.result()
    assert production.fingerprint() == before
    if name == "seed":
        assert "was refused the database alias 'other'" in json.dumps(result["findings"])
    if name in HARMLESS:
        assert result["verdict"] == "within", result["reason"]
        return
    assert result["verdict"] in ("inconclusive", "error"), result["reason"]
    if not way.settings.startswith(USE_ENGINE) and "init_command" not in way.settings:
        assert (project.path / "tried").exists()
        assert "access-refused" in json.dumps(result["findings"]) or "refuse" in result["reason"]
    assert (project.path / "child_tried").exists() == way.child


def test_the_ways_do_write_where_nothing_stops_them(
    project: Project, production: Production, vendor: str
) -> None:
    """The children's script and the raw connection, without a check: the fingerprint sees them."""
    prepare(project, vendor, WAYS["raw-connection"], production.names)
    before = production.fingerprint()
    subprocess.run([sys.executable, "empties.py"], cwd=project.path, check=True, env=os.environ)
    assert production.fingerprint() != before


WATCHES = """
import sys

def noted(event, args):
    if event == "sqlite3.connect" and "coverage" not in str(args[0]):
        open("connected", "a").write(str(args[0]))

sys.addaudithook(noted)
try:
    import psycopg
except ImportError:
    pass
else:
    connect = psycopg.Connection._connect_gen

    def noting(*args, **kwargs):
        open("connected", "a").write("psycopg")
        return connect(*args, **kwargs)

    psycopg.Connection._connect_gen = noting
"""


@pytest.mark.parametrize("gated", [True, False], ids=["gate", "marker"])
def test_pytests_own_process_opens_no_connection(
    project: Project, production: Production, vendor: str, gated: bool
) -> None:
    prepare(project, vendor, WAYS["plain"], production.names)
    project.write("conftest.py", WATCHES)
    gate = ["--membudget-gate=shop.0002", "--membudget-limit=512Mi", "--membudget-rows=*=100"]
    assert project.results(*(gate if gated else []))
    assert not (project.path / "connected").exists()
