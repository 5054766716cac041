"""Bad input is a usage error at collection that names the test, the argument and the right way."""

from __future__ import annotations

import pytest
from project import LOOP, Project

ROWS = 'rows={"shop.Order": 1_000}'
LIMIT = 'limit="512Mi"'

WRONG = {
    "unknown app": (['"shopp.0002"', ROWS, LIMIT], "no app 'shopp' with migrations; did you mean shop?"),
    "unknown migration": (['"shop.0002_lop"', ROWS, LIMIT], "did you mean 0002_loop"),
    "ambiguous prefix": (['"shop.0003"', ROWS, LIMIT], "ambiguous: 0003_a, 0003_b"),
    "no dot": (['"shop"', ROWS, LIMIT], 'write "app_label.name"'),
    "empty list": (["[]", ROWS, LIMIT], "names no migration"),
    "unknown model": (
        ['"shop.0002"', 'rows={"shop.Ordr": 1}', LIMIT],
        "no model 'shop.Ordr' exists before shop.0002_loop; there are shop.Customer, shop.Order",
    ),
    "later model": (
        ['"shop.0002"', 'rows={"shop.Later": 1}', LIMIT],
        "no model 'shop.Later' exists before shop.0002_loop",
    ),
    "rows not a mapping": (['"shop.0002"', "rows=1000", LIMIT], "rows=1000 is not a mapping"),
    "label without app": (['"shop.0002"', 'rows={"Order": 1}', LIMIT], 'write "app_label.Model"'),
    "zero rows": (['"shop.0002"', 'rows={"shop.Order": 0}', LIMIT], "0 is not a number of rows"),
    "negative rows": (['"shop.0002"', 'rows={"shop.Order": -5}', LIMIT], "-5 is not a number of rows"),
    "fractional rows": (
        ['"shop.0002"', 'rows={"shop.Order": 1.5}', LIMIT],
        "rows['shop.Order']: 1.5 is not a number of rows; write a whole number above zero",
    ),
    "no rows": (['"shop.0002"', LIMIT], "no rows: give production's row counts"),
    "unreadable limit": (['"shop.0002"', ROWS, 'limit="512 bananas"'], "limit: '512 bananas' is not a size"),
    "zero limit": (['"shop.0002"', ROWS, "limit=0"], "limit: 0 is not a size above zero"),
    "no limit": (['"shop.0002"', ROWS], "no limit: give the memory limit of the container"),
    "unknown argument": (
        ['"shop.0002"', ROWS, LIMIT, "row=1"],
        "; its arguments are migration, rows, limit, database, seed, reverse, time_budget",
    ),
    "no migration": ([ROWS, LIMIT], "missing 1 required positional argument: 'migration'"),
    "unknown alias": (
        ['"shop.0002"', ROWS, LIMIT, 'database="replica"'],
        "database='replica' is not an alias in settings.DATABASES; there are 'default', 'other'",
    ),
    "engine without support": (
        ['"shop.0002"', ROWS, LIMIT, 'database="other"'],
        "which membudget cannot make scratch databases for; it can for sqlite and postgresql",
    ),
    "reverse not a bool": (['"shop.0002"', ROWS, LIMIT, "reverse=1"], "reverse=1 is neither True nor False"),
    "irreversible": (['"shop.0002"', ROWS, LIMIT, "reverse=True"], "can't be reversed"),
    "time budget": (['"shop.0002"', ROWS, LIMIT, "time_budget=0"], "time_budget: 0 is not a number of seconds"),
    "seed in no module": (
        ['"shop.0002"', ROWS, LIMIT, 'seed="nowhere.seed"'],
        "a fresh process can't import 'nowhere'",
    ),
    "seed not there": (
        ['"shop.0002"', ROWS, LIMIT, 'seed="shop.models.seed"'],
        "has no attribute 'seed'",
    ),
    "seed is a lambda": (
        ['"shop.0002"', ROWS, LIMIT, "seed=lambda *args: None"],
        "give a function at the top level of a module",
    ),
}  # fmt: skip


@pytest.fixture
def shop(project: Project) -> Project:
    project.write("shop/models.py", "")
    project.migration("0002_loop", LOOP)
    project.migration("0003_a", LOOP)
    project.migration("0003_b", LOOP)
    project.migration("0004_later", LOOP)
    later = project.path / "shop/migrations/0004_later.py"
    create = 'migrations.CreateModel("Later", [("id", models.BigAutoField(primary_key=True))])'
    text = later.read_text().replace("migrations.RunPython(forwards, None)", create)
    later.write_text(text.replace("import migrations", "import migrations, models"))
    settings = project.path / "settings.py"
    settings.write_text(
        settings.read_text() + 'DATABASES["other"] = {"ENGINE": "django.db.backends.dummy"}\n'
    )
    return project


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_marker_is_a_usage_error(shop: Project, arguments: list[str], message: str) -> None:
    shop.budget(*arguments)
    result = shop.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in result.errlines if line.startswith("ERROR: ")]
    assert line.startswith("ERROR: test_budget.py::test_fits: membudget: ")
    assert message in line
    assert not (shop.path / "production.sqlite3").exists()


def test_every_wrong_marker_of_a_run_is_named(shop: Project) -> None:
    shop.write(
        "test_two.py",
        """
        import pytest

        @pytest.mark.membudget("shop.0009")
        def test_one(): ...

        @pytest.mark.membudget("shop.0002", rows={"shop.Order": 0})
        def test_two(): ...

        def test_three(membudget): ...
        """,
    )
    result = shop.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line.split(": membudget: ")[0] for line in result.errlines if "test_two.py" in line]
    assert lines == [f"ERROR: test_two.py::test_{name}" for name in ("one", "two", "three")]


def test_a_wrong_marker_of_a_deselected_test_is_no_error(shop: Project) -> None:
    shop.budget('"shop.9999"')
    shop.write("test_other.py", "def test_other(): pass")
    shop.run("-k", "other").assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--membudget-limit=much", "argument --membudget-limit: 'much' is not a size"),
        ("--membudget-time-budget=-1", "'-1' is not a number of seconds above zero"),
        ("--membudget-attribution=maybe", "invalid choice: 'maybe'"),
        ("--membudget-rows=shop.Order", "'shop.Order' is not MODEL=N"),
    ],
)
def test_a_wrong_option_is_a_usage_error(shop: Project, option: str, message: str) -> None:
    result = shop.run(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("membudget_limit = much", "membudget_limit: 'much' is not a size"),
        ("membudget_rows = shop.Order=none", "membudget_rows: rows['shop.Order']: 'none'"),
        ("membudget_time_budget = soon", "membudget_time_budget: 'soon' is not a number"),
        ("membudget_attribution = maybe", 'none of "failed", "always" and "never"'),
        ("membudget_inconclusive = pass", '\'pass\' is neither "fail" nor "warn"'),
    ],
)
def test_a_wrong_ini_setting_is_a_usage_error(shop: Project, ini: str, message: str) -> None:
    shop.attribution = None
    with (shop.path / "pytest.ini").open("a") as file:
        file.write(ini + "\n")
    result = shop.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()


def test_no_django_settings(shop: Project) -> None:
    shop.write("pytest.ini", "[pytest]\n")
    shop.budget('"shop.0002"', ROWS, LIMIT)
    result = shop.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        "no Django settings: name their module with DJANGO_SETTINGS_MODULE" in result.stderr.str()
    )


def test_settings_that_a_fresh_process_cannot_load(shop: Project) -> None:
    shop.write("pytest.ini", "[pytest]\npythonpath = .\n")
    shop.write(
        "conftest.py",
        """
        def pytest_configure():
            from django.conf import settings
            import settings as module
            settings.configure(DATABASES=module.DATABASES, INSTALLED_APPS=module.INSTALLED_APPS)
        """,
    )
    shop.budget('"shop.0002"', ROWS, LIMIT)
    result = shop.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "settings.configure() was called in this process" in result.stderr.str()


@pytest.mark.parametrize("code", ["raise OSError('no such thing')", "import nowhere", "def ("])
def test_a_project_that_cannot_be_loaded(shop: Project, code: str) -> None:
    shop.write("shop/migrations/0009_broken.py", code)
    shop.budget('"shop.0002"', ROWS, LIMIT)
    result = shop.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "the project's migrations can't be loaded: " in result.stderr.str()


@pytest.mark.parametrize("option", ["json", "html", "markdown"])
def test_a_report_that_cannot_be_written(shop: Project, option: str) -> None:
    shop.write("blocked", "")
    result = shop.run(f"--membudget-{option}=blocked/results")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "'blocked/results' is not a path that a file can be" in result.stderr.str()
