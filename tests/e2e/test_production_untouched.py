"""None of the ways in which a project or a migration reaches a database changes production's.

Each way is a check of a migration that tries it, beside production's databases, filled and
fingerprinted before and after it.  They are real ones of the configured kind, at the addresses that
the settings name.  Ways that need no settings of their own share a run of pytest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from production_databases import ProductionDatabases
from project import FEW, LIMIT, SEED, Project

FORWARDS = """
import os, subprocess, sys

def write(cursor):
    cursor.execute("DELETE FROM shop_order")

def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    if not list(Order.objects.using(schema_editor.connection.alias).all()):
        return  # the empty tables of the state before another way
    open("tried", "w").close()
"""

# What a child process runs: it loads the settings by itself.
EMPTIES = """
import os, sys
sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = os.environ.get("SETTINGS", "settings")
import django
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

ENGINE_BASE = """
from django.db.backends.{vendor}.base import DatabaseWrapper as Original
from django.db.backends.{vendor} import base
"""


@dataclass(frozen=True)
class Way:
    """``body`` follows in the migration's function, ``settings`` in the settings module.

    ``PRODUCTION`` and ``OTHER`` are the NAMEs of the two production databases, ``RAW`` opens a
    driver's own connection to a NAME.  ``child`` says that a child process has to have tried, and
    its migration has no transaction, for which one that writes to a SQLite file would wait.  Ways
    whose ``settings`` go together name a ``group``.
    """

    body: str = "pass"
    settings: str = ""
    files: dict[str, str] = field(default_factory=dict)
    vendors: tuple[str, ...] = ("sqlite", "postgresql", "mysql")
    budget: tuple[str, ...] = ()
    child: bool = False
    atomic: bool = True
    group: str = ""

    def run(self, name: str) -> str:
        """Which run it is part of: one that changes what each process loads has its own."""
        if self.settings:
            return self.group or name
        return "ready" if "shop/apps.py" in self.files else "shared"


def engine(code: str) -> dict[str, str]:
    return {"engine/__init__.py": "", "engine/base.py": ENGINE_BASE + code}


USE_ENGINE = "DATABASES['default']['ENGINE'] = 'engine'"
OWN_PARAMETERS = """
class DatabaseWrapper(Original):
    def get_connection_params(self):
        name = "dbname" if self.vendor == "postgresql" else "database"
        return {**super().get_connection_params(), name: PRODUCTION}
"""
OWN_CONNECTION = """
class DatabaseWrapper(Original):
    def get_new_connection(self, conn_params):
        name = "dbname" if self.vendor == "postgresql" else "database"
        return super().get_new_connection({**conn_params, name: PRODUCTION})
"""
POOL_BY_ALIAS = """
POOL = {}

class DatabaseWrapper(Original):
    def get_new_connection(self, conn_params):
        if self.alias not in POOL:
            name = "dbname" if self.vendor == "postgresql" else "database"
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
        connections.settings["ready"] = {**connections.settings["default"], "NAME": PRODUCTION}
        connections["default"].cursor().execute("CREATE TABLE IF NOT EXISTS x (a int)")
"""
ALIASES = """
DATABASES["default"]["NAME"] = PRODUCTION
DATABASES["other"] = {**DATABASES["default"], "NAME": OTHER}
DATABASES["mirror"] = {**DATABASES["other"], "TEST": {"MIRROR": "default"}}
DATABASES["replica"] = {**DATABASES["default"]}
"""
START = (
    "with multiprocessing.get_context({method!r}).Pool(1) as pool: pool.map(shop.work.empty, [0])"
)
WORK = """
def empty(_):
    import runpy
    runpy.run_path("empties.py")
"""


def pool(method: str) -> Way:
    body = f"import multiprocessing, shop.work\nschema_editor.connection.close()\n{START}"
    return Way(body.format(method=method), files={"shop/work.py": WORK}, child=True)


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
    "mirror": Way("Order.objects.using('mirror').all().delete()", atomic=False),
    "same-address": Way("Order.objects.using('replica').all().delete()", atomic=False),
    "test-settings": Way(
        settings="DATABASES['default']['TEST'] = {'NAME': PRODUCTION}", group="options"
    ),
    "options": Way(
        settings="DATABASES['default'].setdefault('OPTIONS', {})["
        "'dbname' if 'postgresql' in DATABASES['default']['ENGINE'] else 'database'] = PRODUCTION"
    ),
    "engine-parameters": Way(settings=USE_ENGINE, files=engine(OWN_PARAMETERS)),
    "engine-connection": Way(settings=USE_ENGINE, files=engine(OWN_CONNECTION)),
    "engine-pool": Way(settings=USE_ENGINE, files=engine(POOL_BY_ALIAS)),
    "psycopg-pool": Way(
        "Order.objects.all().delete()",
        settings="DATABASES['default'].setdefault('OPTIONS', {})['pool'] = True",
        vendors=("postgresql",),
        group="options",
    ),
    "raw-connection": Way("c = RAW(PRODUCTION)\nwrite(c.cursor())\nc.commit()"),
    "raw-swallowed": Way(
        "try:\n    c = RAW(PRODUCTION)\n    write(c.cursor())\n    c.commit()\nexcept Exception: pass"
    ),
    # Production has it, and the server of the tests does not.
    "raw-missing-swallowed": Way(
        "try:\n    RAW('missing')\nexcept Exception: pass", vendors=("postgresql", "mysql")
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
        "from django.db import connections\nwith connections['ready'].cursor() as c: write(c)",
        files={"shop/apps.py": READY},
        atomic=False,
    ),
    "ready-writes": Way(files={"shop/apps.py": READY}),
    "call-command": Way(
        "from django.core.management import call_command\n"
        "call_command('flush', database='other', interactive=False)"
    ),
    "manage-py": Way("subprocess.run([sys.executable, 'empties.py'], check=True)", child=True),
    "manage-py-other-settings": Way(
        "os.environ['SETTINGS'] = 'settings_of_production'\n"
        "subprocess.run([sys.executable, 'empties.py'], check=True)",
        child=True,
    ),
    "manage-py-own-environment": Way(
        "env = {name: value for name, value in os.environ.items() "
        "if name.startswith(('PATH', 'PG', 'MARIADB'))}\n"
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
        "program = {'sqlite': ['sqlite3', PRODUCTION], 'postgresql': ['psql', '-d', PRODUCTION, '-c'], "
        "'mysql': ['mariadb', PRODUCTION, '-e']}[schema_editor.connection.vendor]\n"
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
    "use": Way(
        "with schema_editor.connection.cursor() as c:\n"
        "    c.execute(f'USE {PRODUCTION}')\n    write(c)",
        vendors=("mysql",),
    ),
    "qualified-name": Way(
        "with schema_editor.connection.cursor() as c:\n"
        "    c.execute(f'DELETE FROM {PRODUCTION}.shop_order')",
        vendors=("mysql",),
    ),
    "qualified-name-swallowed": Way(
        "with schema_editor.connection.cursor() as c:\n"
        "    try: c.execute(f'DELETE FROM {PRODUCTION}.shop_order')\n"
        "    except Exception: pass",
        vendors=("mysql",),
    ),
    "composed-name": Way(
        "with schema_editor.connection.cursor() as c:\n"
        "    c.execute(f\"EXECUTE IMMEDIATE concat('DELETE FROM ', '{PRODUCTION}', '.shop_order')\")",
        vendors=("mysql",),
    ),
    "init-command": Way(
        settings="DATABASES['default']['OPTIONS'] = "
        "{'init_command': f'DELETE FROM {PRODUCTION}.shop_order'}",
        vendors=("mysql",),
    ),
    "raw-init-command": Way(
        "RAW('', init_command=f'DELETE FROM {PRODUCTION}.shop_order')", vendors=("mysql",)
    ),
    "raw-of-account": Way(
        "c = RAW('', user=schema_editor.connection.settings_dict['USER'], "
        "password=schema_editor.connection.settings_dict['PASSWORD'])\n"
        "c.select_db(PRODUCTION)\nwrite(c.cursor())",
        vendors=("mysql",),
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
            "seeds.py": f"""{SEED}
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


@pytest.fixture
def production(
    project: Project, vendor: str, request: pytest.FixtureRequest
) -> Iterator[ProductionDatabases]:
    server = request.getfixturevalue("server")
    databases = ProductionDatabases(project.path, server)
    databases.create()
    yield databases
    databases.drop()


RAW = {
    "sqlite": "def RAW(name):\n    import sqlite3\n    return sqlite3.connect(name)\n",
    # Where the server is, libpq reads from the environment.
    "postgresql": "def RAW(name):\n    import psycopg\n    return psycopg.connect(dbname=name)\n",
    "mysql": """
def RAW(name, **more):
    import os, pymysql
    own = {"unix_socket": os.environ["MARIADB_SOCKET"], "user": os.environ["MARIADB_USER"]}
    return pymysql.connect(database=name, autocommit=True, **{**own, **more})
""",
}


def prepare(project: Project, production: ProductionDatabases, names: Iterable[str]) -> None:
    """Write a check of each way; each needs the settings of all."""
    ways = [WAYS[name] for name in names]
    known = f"PRODUCTION, OTHER = {production.names!r}\n"
    project.add("settings.py", "\n".join([known, ALIASES, *(way.settings for way in ways)]))
    for number, way in enumerate(ways):
        body = textwrap.indent(way.body, "    ")
        code = f"{known}{RAW[project.vendor]}{FORWARDS}{body}\n"
        project.migration(migration(number), code, atomic=way.atomic and not way.child)
        engine = {"sqlite": "sqlite3"}.get(project.vendor, project.vendor)
        for name, text in way.files.items():
            project.write(name, known + textwrap.dedent(text).replace("{vendor}", engine))
    settings = (project.path / "settings.py").read_text()
    project.write("settings_of_production.py", f"{settings}\nDEBUG = False\n")
    project.write("empties.py", EMPTIES)
    project.budgets(
        *((f'"shop.{migration(n)}"', FEW, LIMIT, *way.budget) for n, way in enumerate(ways))
    )


def migration(number: int) -> str:
    return f"{number + 2:04}_way"


# In the pytest process of the project: what each of its tests has left.
NOTES = """
import json, pathlib, sys
import pytest
sys.path.append({tests!r})
from production_databases import ProductionDatabases
from pathlib import PosixPath
from servers import MariaDB, Server
sys.path.pop()

production = ProductionDatabases(pathlib.Path.cwd(), {server!r})
notes = []

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    done = yield
    files = [pathlib.Path(name) for name in ("tried", "child_tried")]
    tried = [file.name for file in files if file.exists()]
    notes.append([repr(production.fingerprint()), tried])
    for file in files:
        file.unlink(missing_ok=True)
    return done

def pytest_sessionfinish():
    pathlib.Path("notes.json").write_text(json.dumps(notes))
"""
TESTS = str(Path(__file__).parents[1])
RUNS = dict.fromkeys(
    (way.run(name), vendor)
    for vendor in ("sqlite", "postgresql", "mysql")
    for name, way in WAYS.items()
    if vendor in way.vendors
)


@pytest.mark.parametrize(("run", "vendor"), RUNS)
def test_production_is_left_as_it_is(
    project: Project, production: ProductionDatabases, run: str, vendor: str
) -> None:
    names = [name for name, way in WAYS.items() if way.run(name) == run and vendor in way.vendors]
    prepare(project, production, names)
    project.write("conftest.py", NOTES.format(tests=TESTS, server=production.server))
    before = repr(production.fingerprint())
    results = {one["migration"]: one for one in project.results()}
    assert repr(production.fingerprint()) == before
    notes = json.loads((project.path / "notes.json").read_text())
    for number, (name, (after, tried)) in enumerate(zip(names, notes, strict=True)):
        assert after == before, name
        answered(name, results[f"shop.{migration(number)}"], tried)


def answered(name: str, result: dict[str, Any], tried: list[str]) -> None:
    """``tried`` are the files that say who has tried."""
    way, findings = WAYS[name], json.dumps(result["findings"])
    if name == "seed":
        assert "tried to use the database alias 'other', which was refused" in findings
    if name in HARMLESS:
        assert result["verdict"] == "within", (name, result["reason"])
        return
    assert result["verdict"] in ("inconclusive", "error"), (name, result["reason"])
    if not way.settings.startswith(USE_ENGINE) and "init_command" not in way.settings:
        assert "tried" in tried, name
        assert "access-refused" in findings or "refuse" in result["reason"], name
    assert ("child_tried" in tried) == way.child, name


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql", "mysql"])
def test_the_ways_do_write_where_nothing_stops_them(
    project: Project, production: ProductionDatabases, vendor: str
) -> None:
    """The children's script and the raw connection, without a check: the fingerprint sees them."""
    prepare(project, production, ["raw-connection"])
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
try:
    import pymysql
except ImportError:
    pass
else:
    connect_mysql = pymysql.connections.Connection.connect

    def noting_mysql(*args, **kwargs):
        open("connected", "a").write("pymysql")
        return connect_mysql(*args, **kwargs)

    pymysql.connections.Connection.connect = noting_mysql
"""


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql", "mysql"])
def test_pytests_own_process_opens_no_connection(
    project: Project, production: ProductionDatabases, vendor: str
) -> None:
    """Neither for a marker nor for the gate."""
    prepare(project, production, ["plain"])
    project.write("conftest.py", WATCHES)
    gate = ("--membudget-gate=shop.0002", "--membudget-limit=512Mi", "--membudget-rows=*=15")
    assert len(project.results(".", *gate)) == 2
    assert not (project.path / "connected").exists()
