"""The state before a migration: built once, whole, and of the right project."""

from __future__ import annotations

from pathlib import Path

from project import LOOP, STREAM, Project

FEW = 'rows={"shop.Order": 200}'


def note(path: Path) -> str:
    return f"""
    def forwards(apps, schema_editor):
        with open({str(path)!r}, "a") as file:
            file.write("built\\n")
    """


def test_the_state_before_is_built_once_for_all_tests(project: Project, vendor: str) -> None:
    built = project.path / "built"
    project.migration("0002_note", note(built))
    project.migration("0003_loop", LOOP)
    project.migration("0004_stream", STREAM)
    project.write(
        "test_budget.py",
        """
        import pytest

        def budget(migration):
            return pytest.mark.membudget(migration, rows={"shop.Order": 200}, limit="512Mi")

        @budget("shop.0003")
        def test_loop(): ...

        @budget("shop.0004")
        def test_stream(): ...

        @budget("shop.0003")
        def test_loop_again(): ...
        """,
    )
    project.run().assert_outcomes(passed=3)
    assert built.read_text().splitlines() == ["built"]


def test_a_state_that_cannot_be_built_is_an_error_of_its_own(project: Project, vendor: str) -> None:
    project.migration("0002_breaks", "def forwards(apps, schema_editor): raise OSError('no disk')")
    project.migration("0003_loop", LOOP)
    project.budget('"shop.0003"', FEW, 'limit="512Mi"')
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["shop.0003_loop: the state before the migration could not be built: OSError: no disk"]
    )


def test_apps_that_the_migration_does_not_depend_on_are_there(
    project: Project, vendor: str
) -> None:
    code = """
    def forwards(apps, schema_editor):
        assert apps.get_model("shop", "Order").objects.exists()
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM auth_permission")
            assert cursor.fetchone()[0] > 0
        list(apps.get_model("shop", "Order").objects.all())
    """
    project.migration("0002_it", code)
    project.budget('"shop.0002"', FEW, 'limit="512Mi"')
    project.run().assert_outcomes(passed=1)


def test_an_app_without_migrations_has_its_tables(project: Project, vendor: str) -> None:
    project.write("plain/__init__.py", "")
    project.write(
        "plain/models.py",
        """
        from django.db import models

        class Note(models.Model):
            text = models.TextField()
        """,
    )
    with (project.path / "settings.py").open("a") as file:
        file.write("INSTALLED_APPS.append('plain')\n")
    code = """
    def forwards(apps, schema_editor):
        from plain.models import Note
        assert list(Note.objects.all())
    """
    project.migration("0002_it", code)
    project.budget('"shop.0002"', 'rows={"plain.Note": 50}', 'limit="512Mi"')
    project.run().assert_outcomes(passed=1)


def test_a_replica_is_the_same_scratch_database(project: Project, vendor: str) -> None:
    with (project.path / "settings.py").open("a") as file:
        file.write("DATABASES['replica'] = {**DATABASES['default']}\n")
    project.migration("0002_it", LOOP.replace(".objects.all", '.objects.using("replica").all'))
    project.budget('"shop.0002"', FEW, 'limit="512Mi"')
    assert project.result()["samples"][-1]["rows_read"] == 200


def test_a_squashed_migration_and_one_that_it_replaces(project: Project) -> None:
    project.migration("0002_loop", LOOP)
    project.migration("0003_stream", STREAM)
    path = project.path / "shop/migrations/0002_squashed.py"
    text = (project.path / "shop/migrations/0002_loop.py").read_text()
    replaces = 'replaces = [("shop", "0002_loop"), ("shop", "0003_stream")]\n    dependencies'
    path.write_text(text.replace("dependencies", replaces, 1))
    for name in ("0002_squashed", "0003_stream"):
        project.budget(f'"shop.{name}"', FEW, 'limit="512Mi"')
        result = project.result()
        assert (result["verdict"], result["migration"]) == ("within", f"shop.{name}")


def test_a_configuration_class_of_django_configurations(project: Project) -> None:
    settings = project.path / "settings.py"
    lines = [f"    {line}\n" for line in settings.read_text().splitlines()[1:]]
    settings.write_text(
        "import os\nfrom configurations import Configuration\n\n"
        "class Test(Configuration):\n" + "".join(lines)
    )
    with (project.path / "pytest.ini").open("a") as file:
        file.write("DJANGO_CONFIGURATION = Test\n")
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', FEW, 'limit="512Mi"')
    project.run().assert_outcomes(passed=1)


def test_the_widths_that_were_seeded_are_told(project: Project, vendor: str) -> None:
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002"', FEW, 'limit="512Mi"')
    (message,) = [
        finding["message"]
        for finding in project.result()["findings"]
        if finding["code"] == "row-widths"
    ]
    assert "shop.Order" in message
    assert "note " in message


POOL = """
def double(number):
    return 2 * number

def forwards(apps, schema_editor):
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(double, range(10))[-1] == 18
"""


def test_an_earlier_migration_may_use_a_pool_of_processes(project: Project, vendor: str) -> None:
    """Which it ends by SIGTERM, as the server process is, and that has to end them."""
    project.migration("0002_pool", POOL)
    project.migration("0003_loop", LOOP)
    project.budget('"shop.0003"', FEW, 'limit="512Mi"')
    project.run().assert_outcomes(passed=1)
