"""What the state before a migration costs in a project of 300 models and 400 migrations.

python benchmarks/states.py
python tests/servers.py python benchmarks/states.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pytest_membudget.database.kept_states import FOLDER, KeptStates
from pytest_membudget.processes.messages.job import Key
from pytest_membudget.processes.messages.orders import Prepare
from pytest_membudget.processes.server.client import ServerClient

APPS, MODELS, MIGRATIONS = 10, 30, 40
SQLITE = '{"ENGINE": "django.db.backends.sqlite3", "NAME": "production.sqlite3"}'
POSTGRESQL = """{
    "ENGINE": "django.db.backends.postgresql", "NAME": "production",
    "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"],
    "USER": os.environ["PGUSER"], "PASSWORD": os.environ["PGPASSWORD"],
}"""
SETTINGS = """
import os
SECRET_KEY = "x"
APPS = [f"app{{number}}" for number in range({apps})]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", *APPS]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {{"default": {database}}}
"""
MIGRATION = """
from django.db import migrations, models

def forwards(apps, schema_editor):
    model = apps.get_model({app!r}, "Model0")
    model.objects.filter(name="").update(name="x")

class Migration(migrations.Migration):
    dependencies = {after}
    operations = [{operations}]
"""
MODEL = """
        migrations.CreateModel("Model{number}", [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=100, db_index=True)),
            ("created", models.DateTimeField(null=True)),
            ("parent", models.ForeignKey({parent!r}, null=True, on_delete=models.CASCADE)),
        ]),
"""
ADDED = """
        migrations.AddField("model{number}", "added{step}", models.IntegerField(null=True)),
"""
CODE = "migrations.RunPython(forwards, migrations.RunPython.noop)"


def main() -> None:
    databases = {"sqlite": SQLITE, **({"postgresql": POSTGRESQL} if "PGHOST" in os.environ else {})}
    for vendor, database in databases.items():
        with tempfile.TemporaryDirectory() as folder:
            keys = write_project(Path(folder), database)
            print(f"{vendor}: {APPS * MODELS} models, {len(keys)} migrations")
            print(f"  manage.py check: {seconds_of_manage('check'):.1f} s")
            if vendor == "sqlite":
                print(f"  manage.py migrate: {seconds_of_manage('migrate'):.1f} s")
            for what in ("built", "again", "all but the last one", "one more"):
                before = keys[:-1] if what == "all but the last one" else keys
                start, state = seconds_of_state(before, Path(folder, FOLDER))
                print(f"  {what}: state {state:.2f} s, after a start of {start:.2f} s")
            kept = KeptStates(Path(folder, FOLDER))
            print(f"  kept: {len(kept.all())} states, {kept.size() / 1024:.0f} KiB")


def write_project(path: Path, database: str) -> list[Key]:
    """The keys of its migrations, each after those that it depends on."""
    os.chdir(path)
    sys.path.insert(0, str(path))
    os.environ["DJANGO_SETTINGS_MODULE"] = "large_settings"
    Path("large_settings.py").write_text(SETTINGS.format(apps=APPS, database=database))
    keys = [(f"app{app}", f"{step + 1:04}_it") for step in range(MIGRATIONS) for app in range(APPS)]
    for number, (app, name) in enumerate(keys):
        folder = Path(app, "migrations")
        folder.mkdir(parents=True, exist_ok=True)
        for package in (Path(app), folder):
            (package / "__init__.py").touch()
        step, of = divmod(number, APPS)
        if step == 0:
            parents = (f"app{max(of - 1, 0)}.Model{model}" for model in range(MODELS))
            operations = "".join(
                MODEL.format(number=model, parent=parent) for model, parent in enumerate(parents)
            )
        else:
            operations = ADDED.format(number=step % MODELS, step=step)
            operations += CODE if step % 5 == 0 else ""
        after = [
            key for key in (keys[number - 1], keys[number - APPS]) if number and key[1] <= name
        ]
        text = MIGRATION.format(app=app, after=after, operations=operations)
        (folder / f"{name}.py").write_text(text)
    return keys


def seconds_of_manage(command: str) -> float:
    with measured() as seconds:
        subprocess.run(
            [sys.executable, "-m", "django", command, "-v0"], check=True, env=environment()
        )
    return seconds[0]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def seconds_of_state(keys: list[Key], folder: Path) -> tuple[float, float]:
    """Of the start of a database server process, and of a state."""
    with measured() as start:
        client = ServerClient("default", cache=str(folder))
    with closing(client), measured() as state:
        client.call(Prepare(keys, []))
    return start[0], state[0]


@contextmanager
def measured() -> Iterator[list[float]]:
    seconds: list[float] = []
    begin = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - begin)


if __name__ == "__main__":
    main()
