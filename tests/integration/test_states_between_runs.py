"""A state that a process has built is kept for the next one, which uses it where it is right."""

from __future__ import annotations

import sqlite3
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from pytest_membudget.database.kept_states import FOLDER, KeptStates
from pytest_membudget.database.scratch.dump import dump
from pytest_membudget.errors import OutOfTime, ServerError
from pytest_membudget.processes.deadline import Deadline
from pytest_membudget.processes.embedded.client import NOT_EMBEDDED, EmbeddedServer
from pytest_membudget.processes.messages.job import Key
from pytest_membudget.processes.messages.orders import ListRefusals, ListTables, Prepare, Weigh
from pytest_membudget.processes.messages.server import Progress
from pytest_membudget.processes.server import client as client_module
from pytest_membudget.processes.server.client import ServerClient, ServerClients
from pytest_membudget.processes.stopwatch import Stopwatch

SETTINGS = """
import os
SECRET_KEY = "x"
INSTALLED_APPS = ["shop", "plain"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "production.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TOLD = os.environ.get("TOLD")
"""
MODELS = """
from django.db import models

def code():
    return "x"

class Order(models.Model):
    note = models.TextField(default=code)
"""
PLAIN = """
from django.db import models

class Note(models.Model):
    text = models.TextField()
"""
MIGRATION = """
from django.db import migrations, models
{imports}
{code}

class Migration(migrations.Migration):
    dependencies = {after}
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
"""
INITIAL = """
from django.db import migrations, models

class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Order", [
            ("id", models.BigAutoField(primary_key=True)), ("note", models.TextField()),
        ]),
    ]
"""
ADDS = """
def forwards(apps, schema_editor):
    apps.get_model("shop", "Order").objects.create(note="{number}")
"""
COUNT = 12


class Shop:
    """A project of the app ``shop`` with so many migrations, and ``plain`` with none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: list[Key] = [("shop", "0001_initial")]
        self.embedded: Mapping[str, str] = NOT_EMBEDDED
        self.write("its_settings.py", SETTINGS)
        self.write("shop/__init__.py", "")
        self.write("shop/models.py", MODELS)
        self.write("shop/migrations/__init__.py", "")
        self.write("shop/migrations/0001_initial.py", INITIAL)
        self.write("plain/__init__.py", "")
        self.write("plain/models.py", PLAIN)
        while len(self.keys) < COUNT:
            self.migration(ADDS.format(number=len(self.keys)))

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def replace(self, name: str, before: str, after: str) -> None:
        path = self.path / name
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after))

    def migration(self, code: str, imports: str = "") -> Key:
        name = f"{len(self.keys) + 1:04}_it"
        text = MIGRATION.format(code=textwrap.dedent(code), imports=imports, after=[self.keys[-1]])
        self.write(f"shop/migrations/{name}.py", text)
        self.keys.append(("shop", name))
        return self.keys[-1]

    @contextmanager
    def started(self) -> Iterator[tuple[ServerClient, list[str]]]:
        """A server process, and the migrations that it applies to build states."""
        steps: list[str] = []

        def note(text: str) -> None:
            step = text.rpartition(": ")[2]
            if step.startswith("shop."):
                steps.append(step.partition(" ")[0].removeprefix("shop."))

        client = ServerClient("default", self.embedded, str(self.path / FOLDER))
        assert client.workers is not None
        client.workers.close()  # nothing is measured
        with closing(client), client.bound_to(Deadline(60.0), note, Stopwatch()):
            yield client, steps

    def build(self, keys: list[Key] | None = None) -> list[str]:
        """The names of the migrations that a new process applies to build the state of ``keys``,
        all where there are none.
        """
        with self.started() as (client, steps):
            client.call(Prepare(self.keys if keys is None else keys, []))
        return steps

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.keys]

    @property
    def login(self) -> dict[str, str]:
        """What psycopg connects with to the embedded server."""
        names = {"HOST": "host", "PORT": "port", "USER": "user"}
        return {"dbname": "postgres", **{names[key]: self.embedded[key] for key in names}}

    def kept(self) -> list[Path]:
        return list((self.path / FOLDER).glob("*.state"))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "its_settings")
    # Bytecode is out of date only where the time of the source differs by a second, or its size.
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return Shop(tmp_path)


def test_the_next_process_builds_nothing(shop: Shop) -> None:
    assert shop.build() == shop.names
    with shop.started() as (client, steps):
        name = client.call(Prepare(shop.keys, [])).name
        with closing(sqlite3.connect(name)) as database:
            notes = [
                note for (note,) in database.execute("SELECT note FROM shop_order ORDER BY id")
            ]
            database.execute("SELECT text FROM plain_note")
        tables = client.call(ListTables(shop.keys))
    assert steps == []
    assert notes == [str(number) for number in range(1, COUNT)]
    assert set(tables.models) == {"shop_order", "plain_note"}


def test_a_later_state_grows_from_the_one_that_was_kept(shop: Shop) -> None:
    shop.build()
    shop.migration(ADDS.format(number="more"))
    assert shop.build() == [shop.names[-1]]
    assert shop.build() == [shop.names[-1]]  # it is not worth being kept
    assert shop.build(shop.keys[:-2]) == shop.names[:-2]


def test_a_smaller_state_grows_from_what_was_kept_on_the_way(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no state of its own: receivers of post_migrate have not run."""
    while len(shop.keys) < 27:
        shop.migration(ADDS.format(number=len(shop.keys)))
    assert shop.build() == shop.names
    assert shop.build(shop.keys[:-1]) == shop.names[-2:-1]
    shop.replace("shop/migrations/0027_it.py", '"26"', '"other"')
    assert shop.build() == shop.names[-2:]
    with shop.started() as (client, steps):
        client.call(Prepare(shop.keys[:25], []))
    assert steps == shop.names[:25]


def test_the_files_of_the_project_are_as_they_were(shop: Shop) -> None:
    before = {path.relative_to(shop.path) for path in shop.path.rglob("*.py")}
    shop.build()
    after = {path for path in shop.path.rglob("*") if path.is_file()}
    folder = shop.path / FOLDER
    assert {path.relative_to(shop.path) for path in after if folder not in path.parents} == before
    assert {path.name for path in folder.iterdir()} == {
        ".gitignore", "CACHEDIR.TAG", "lock", shop.kept()[0].name
    }  # fmt: skip


Change = Callable[[Shop, pytest.MonkeyPatch], object]


def writes(name: str, text: str) -> Change:
    return lambda shop, monkeypatch: shop.write(name, text)


def replaces(name: str, before: str, after: str) -> Change:
    return lambda shop, monkeypatch: shop.replace(name, before, after)


def sets(variable: str) -> Change:
    return lambda shop, monkeypatch: monkeypatch.setenv(variable, "something")


READS_FILE = """
import pathlib
def forwards(apps, schema_editor):
    try: text = pathlib.Path("data.txt").read_text()
    except OSError: text = "none"
    apps.get_model("shop", "Order").objects.create(note=text)
"""
READS_FOLDER = """
import pathlib
def forwards(apps, schema_editor):
    for file in pathlib.Path("notes").iterdir():
        apps.get_model("shop", "Order").objects.create(note=file.name)
"""
READS_VARIABLE = """
import os
def forwards(apps, schema_editor):
    apps.get_model("shop", "Order").objects.create(note=os.getenv("NOTE", ""))
"""
CALLS_HELPER = """
def forwards(apps, schema_editor):
    from shop.helpers import note
    apps.get_model("shop", "Order").objects.create(note=note())
"""
# Four ways in which a class of today's models may have a part in a state.
IMPORTS_MODELS = """
def forwards(apps, schema_editor):
    from shop.models import Order
    apps.get_model("shop", "Order").objects.create(note=Order.__name__)
"""
CALLS_WHAT_IMPORTS_MODELS = """
def forwards(apps, schema_editor):
    from shop.kind import kind
    apps.get_model("shop", "Order").objects.create(note=kind())
"""
ASKS_REGISTRY = """
def forwards(apps, schema_editor):
    from django.apps import apps as registry
    apps.get_model("shop", "Order").objects.create(note=registry.get_model("shop.Order").__name__)
"""
MAKES_ROW = """
def forwards(apps, schema_editor):
    import sys
    sys.modules["shop.models"].Order.objects.create(note="x")
"""
CLASS = replaces("shop/models.py", "class Order", "class Other(models.Model): ...\n\nclass Order")


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("", replaces("shop/migrations/0002_it.py", '"1"', '"2"')),
        ("", replaces("its_settings.py", "BigAutoField", "AutoField")),
        ("", replaces("its_settings.py", '["shop"', '["django.contrib.contenttypes", "shop"')),
        ("", sets("TOLD")),
        ("", writes("shop/apps.py", "from django.apps import AppConfig")),
        ("", replaces("shop/models.py", '"x"', '"y"')),
        ("", replaces("plain/models.py", "text", "texts")),
        ("", writes("plain/migrations/__init__.py", "")),
        (READS_FILE, writes("data.txt", "some")),
        (READS_FOLDER, writes("notes/two", "")),
        (READS_VARIABLE, sets("NOTE")),
        (CALLS_HELPER, replaces("shop/helpers.py", "1", "2")),
        (IMPORTS_MODELS, CLASS),
        (CALLS_WHAT_IMPORTS_MODELS, CLASS),
        (ASKS_REGISTRY, CLASS),
        (MAKES_ROW, CLASS),
    ],
)
def test_it_is_built_anew_where_what_it_depends_on_has_changed(
    shop: Shop, code: str, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("notes/one", "")
    shop.write("shop/helpers.py", "def note(): return '1'")
    shop.write("shop/kind.py", "import shop.models\ndef kind(): return shop.models.Order.__name__")
    if code:
        shop.migration(code)
    assert shop.build() == shop.names
    assert shop.build() == []
    change(shop, monkeypatch)
    assert shop.build() == shop.names


@pytest.mark.parametrize(
    "change",
    [
        CLASS,
        writes("shop/views.py", ""),
        replaces("shop/migrations/0012_it.py", '"11"', '"12"'),
        sets("ANOTHER"),
        lambda shop, monkeypatch: shop.migration(READS_FILE),
    ],
)
def test_it_is_used_where_something_else_has_changed(
    shop: Shop, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = shop.keys[:-1]
    assert shop.build(keys) == shop.names[:-1]
    change(shop, monkeypatch)
    assert shop.build(keys) == []


STARTS_PROCESS = """
import subprocess
def forwards(apps, schema_editor):
    note = subprocess.run(["date"], capture_output=True, text=True).stdout
    apps.get_model("shop", "Order").objects.create(note=note)
"""
KEEPS_SECRET = """
from django.conf import settings
def forwards(apps, schema_editor):
    apps.get_model("shop", "Order").objects.create(note=settings.ITS_TOKEN)
"""
READS_DATABASE = """
import sqlite3
def forwards(apps, schema_editor):
    sqlite3.connect("file:other.sqlite3?mode=ro", uri=True).close()
"""


@pytest.mark.parametrize("code", [STARTS_PROCESS, KEEPS_SECRET, READS_DATABASE])
def test_a_state_of_which_not_all_is_known_is_not_kept(shop: Shop, code: str) -> None:
    shop.replace("its_settings.py", "import os", "import os\nITS_TOKEN = 'Fahlahl7Oov2'")
    sqlite3.connect(shop.path / "other.sqlite3").close()
    shop.migration(code)
    assert shop.build() == shop.names
    assert shop.kept() == []
    assert shop.build() == shop.names


def test_settings_without_a_text_of_their_own(shop: Shop) -> None:
    shop.replace("its_settings.py", "import os", "import os\nTHING = object()")
    assert shop.build() == shop.names
    assert shop.kept() == []


@pytest.mark.parametrize("damage", [b"", b"{}", b"{}\nxyz", None])
def test_a_damaged_file_is_replaced(shop: Shop, damage: bytes | None) -> None:
    shop.build()
    [file] = shop.kept()
    file.write_bytes(file.read_bytes()[:-1] if damage is None else damage)
    assert shop.build() == shop.names
    assert shop.build() == []


def test_a_folder_that_cannot_be_written_to(shop: Shop) -> None:
    (shop.path / FOLDER).write_text("a file of that name")
    assert shop.build() == shop.names
    assert shop.build() == shop.names


def test_two_processes_build_a_state_once(shop: Shop) -> None:
    with shop.started() as (one, first), shop.started() as (other, second):
        both = one.begin(Prepare(shop.keys, [])), other.begin(Prepare(shop.keys, []))
        names = {pending.answer().name for pending in both}
    assert len(names) == 2
    assert sorted((first, second)) == sorted((shop.names, []))


def test_a_process_that_is_killed_while_it_builds_leaves_the_state_to_the_next(shop: Shop) -> None:
    slow = shop.migration("import time\ndef forwards(apps, schema_editor): time.sleep(60)")
    with shop.started() as (client, steps):
        client.begin(Prepare(shop.keys, []))
        while slow[1] not in steps:
            told = client.read(time.monotonic() + 30.0)
            assert isinstance(told, Progress)
            client.progress(f": {told.step}")
        for process in psutil.Process(client._process.pid).children():
            process.kill()
    shop.replace(f"shop/migrations/{slow[1]}.py", "60", "0")
    assert shop.build() == shop.names
    assert shop.build() == []


def test_migrations_are_weighed_in_this_process(shop: Shop) -> None:
    """What a migration takes is no part of what is kept."""
    shop.build(shop.keys[:-2])
    shop.migration("def forwards(apps, schema_editor): bytearray(40_000_000)")
    shop.build()
    with shop.started() as (client, steps):
        client.call(Prepare(shop.keys, []))
        weight = client.call(Weigh(shop.keys[-1:], shop.keys))
    assert steps == shop.names[-3:]
    assert weight is not None
    assert weight.grown > 30_000_000
    assert weight.models == 1


def test_a_state_that_fails_is_built_once(shop: Shop) -> None:
    shop.migration("def forwards(apps, schema_editor): raise OSError('no disk')")
    shop.migration(ADDS.format(number="behind"))
    messages = []
    with shop.started() as (client, steps):
        for keys in (shop.keys[:-1], shop.keys, shop.keys[:-1]):
            with pytest.raises(ServerError) as raised:
                client.call(Prepare(keys, []))
            messages.append(str(raised.value))
            assert "in forwards" in raised.value.details
        client.call(ListRefusals())
        assert len(client._names) == 1  # the empty one
    assert steps == shop.names[:-1]
    assert len(set(messages)) == 1


def test_a_migration_is_tried_again_where_another_one_was_applied_before(shop: Shop) -> None:
    """It may depend on more than it says."""
    shop.migration(NEEDS_OTHER)
    other = ("other", "0001_it")
    shop.write("other/__init__.py", "")
    shop.write("other/migrations/__init__.py", "")
    text = MIGRATION.format(code=ADDS.format(number="other"), imports="", after=shop.keys[:1])
    shop.write("other/migrations/0001_it.py", text)
    shop.replace("its_settings.py", '["shop"', '["other", "shop"')
    with shop.started() as (client, _):
        with pytest.raises(ServerError, match="DoesNotExist"):
            client.call(Prepare(shop.keys, []))
        client.call(Prepare([*shop.keys, other], []))


NEEDS_OTHER = """
def forwards(apps, schema_editor):
    apps.get_model("shop", "Order").objects.get(note="other")
"""


def test_a_state_that_takes_too_long_is_built_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one that has it within, by the process that takes the place of the one that hangs."""
    monkeypatch.setattr(client_module, "STEP_SECONDS", 3.0)
    shop.migration("import time\ndef forwards(apps, schema_editor): time.sleep(60)")
    clients = ServerClients(cache=str(shop.path / FOLDER))
    try:
        for keys in (shop.keys, shop.keys, [*shop.keys, ("shop", "0014_it")]):
            begin = time.monotonic()
            with pytest.raises(OutOfTime, match=r"shop.0013_it .* did not finish within 3 s"):
                clients.get("default").call(Prepare(keys, []))
            monkeypatch.setattr(client_module, "STEP_SECONDS", 60.0)
        assert time.monotonic() - begin < 5
    finally:
        clients.close()


POSTGRESQL = """
DATABASES["default"] = {
    "ENGINE": "django.db.backends.postgresql", "NAME": "production", "USER": "app",
    "HOST": os.environ.get("PGHOST", "db.example.com"), "PASSWORD": "of-production-12",
}
"""
# Of each kind one, and texts that look like what they are not.
OBJECTS = r"""
SQL = [
    "CREATE TYPE mood AS ENUM ('sad', 'it''s 100%')",
    "CREATE TABLE beside (id serial PRIMARY KEY, mood mood, tags text[], n int GENERATED ALWAYS"
    " AS IDENTITY, m numeric GENERATED ALWAYS AS (id * 2) STORED, UNIQUE (n) DEFERRABLE)",
    "CREATE VIEW moods AS SELECT mood, count(*) FROM beside GROUP BY mood",
    "CREATE FUNCTION one() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$",
    "CREATE TRIGGER one BEFORE INSERT ON beside FOR EACH ROW EXECUTE FUNCTION one()",
    "CREATE SCHEMA more CREATE TABLE parts (id int) PARTITION BY RANGE (id)",
    "CREATE TABLE more.first PARTITION OF more.parts FOR VALUES FROM (1) TO (9)",
    "CREATE INDEX ON beside (mood, n) WHERE n > 3",
    "COMMENT ON TABLE beside IS 'of the \\restrict kind'",
]
def forwards(apps, schema_editor):
    for statement in SQL:
        schema_editor.execute(statement, params=None)
    with schema_editor.connection.cursor() as cursor:
        for text in ("a", "\n\\restrict abc\n", "%s", "\u20ac\\\\'"):
            cursor.execute("INSERT INTO beside (tags) VALUES (%s)", [[text, None]])
        cursor.execute("DELETE FROM beside WHERE id = 4")
"""


@pytest.fixture
def on_postgresql(shop: Shop) -> Iterator[Callable[[], None]]:
    """Starts an embedded server, in the place of the one before, for further processes."""
    with (shop.path / "its_settings.py").open("a") as file:
        file.write(POSTGRESQL)
    servers: list[EmbeddedServer] = []

    def start() -> None:
        for server in servers:
            server.close(30.0)
        servers.append(EmbeddedServer(""))
        shop.embedded = servers[-1].settings()

    yield start
    for server in servers:
        server.close(30.0)


def test_a_state_on_the_embedded_server_is_the_same_on_the_next_one(
    shop: Shop, on_postgresql: Callable[[], None]
) -> None:
    shop.migration(OBJECTS)
    dumps, applied = [], []
    for _ in range(2):
        on_postgresql()
        with shop.started() as (client, steps):
            name = client.call(Prepare(shop.keys, [])).name
            tables = client.call(ListTables(shop.keys))
            with psycopg.connect(**shop.login, autocommit=True) as connection:
                dumps.append(dump(connection.cursor(), name, shop.embedded))
            applied.append(steps)
        assert {"shop_order", "plain_note"} == set(tables.models)
        assert set(tables.others) >= {"beside", "moods"}
    assert applied == [shop.names, []]
    assert dumps[0]
    assert dumps[0] == dumps[1]
    assert b"restrict kind" in dumps[0]
    assert len(shop.kept()) == 1


@pytest.mark.parametrize("statement", ["CREATE ROLE other", "ALTER ROLE postgres SET jit = off"])
def test_a_state_that_a_dump_does_not_hold_is_not_kept(
    shop: Shop, on_postgresql: Callable[[], None], statement: str
) -> None:
    shop.migration(f"def forwards(apps, schema_editor): schema_editor.execute({statement!r})")
    on_postgresql()
    assert shop.build() == shop.names
    assert shop.kept() == []


def test_a_dump_that_the_server_refuses_is_replaced(
    shop: Shop, on_postgresql: Callable[[], None]
) -> None:
    on_postgresql()
    shop.build()
    kept = KeptStates(shop.path / FOLDER)
    [state] = kept.all()
    kept.remove(state)
    kept.add(state, b"CREATE TABLE half (id int); SELECT 1 / 0;")
    assert shop.build() == shop.names
    assert shop.build() == []
