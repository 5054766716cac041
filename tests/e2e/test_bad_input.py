"""Bad input is a usage error at collection that names the test, the argument and the right way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from project import LIMIT, LOOP, Project

from pytest_membudget.budget.container import memory_limit

ROWS = 'rows={"shop.Order": 1_000}'
WRONG = {
    "unknown app": (['"shopp.0002"', ROWS, LIMIT], "no app 'shopp' with migrations; did you mean shop?"),
    "unknown migration": (['"shop.0002_lop"', ROWS, LIMIT], "did you mean 0002_loop"),
    "ambiguous prefix": (['"shop.0003"', ROWS, LIMIT], "ambiguous: 0003_a, 0003_b"),
    "no dot": (['"shop"', ROWS, LIMIT], 'write "app_label.name"'),
    "empty list": (["[]", ROWS, LIMIT], "names no migration"),
    "unknown model": (
        ['"shop.0002"', 'rows={"shop.Ordr": 1}', LIMIT],
        "no model 'shop.Ordr' exists before shop.0002_loop; the models are shop.Customer, shop.Order",
    ),
    "later model": (
        ['"shop.0002"', 'rows={"shop.Later": 1}', LIMIT],
        "no model 'shop.Later' exists before shop.0002_loop",
    ),
    "rows not a mapping": (['"shop.0002"', "rows=1000", LIMIT], "rows=1000 is not a mapping"),
    "label without app": (['"shop.0002"', 'rows={"Order": 1}', LIMIT], 'write "app_label.Model"'),
    "zero rows": (
        ['"shop.0002"', 'rows={"shop.Order": 0, "shop.Customer": 10}', LIMIT],
        "rows['shop.Order']: the first model can't have 0 rows",
    ),
    "negative rows": (['"shop.0002"', 'rows={"shop.Order": -5}', LIMIT], "-5 is not a number of rows"),
    "fractional rows": (
        ['"shop.0002"', 'rows={"shop.Order": 1.5}', LIMIT],
        "rows['shop.Order']: 1.5 is not a number of rows; write a whole number, 0 or more",
    ),
    "no rows": (['"shop.0002"', LIMIT], "no rows: set production's row counts"),
    "unreadable limit": (['"shop.0002"', ROWS, 'limit="512 bananas"'], "limit: '512 bananas' is not a size"),
    "zero limit": (['"shop.0002"', ROWS, "limit=0"], "limit: 0 is not a size above zero"),
    "400 digits": (['"shop.0002"', ROWS, 'limit="9" * 400'], "9' is more memory than any machine has"),
    "bytes": (['"shop.0002"', ROWS, "limit=512"], "limit: 512 is 512 B, too little for a Python process to start; did you mean 512Mi?"),
    "kilobytes": (['"shop.0002"', ROWS, 'limit="512k"'], "limit: '512k' is 500 KiB, too little for a Python process to start; did you mean 512Mi?"),
    "no limit": (['"shop.0002"', ROWS], "no limit: set the memory limit of the container"),
    "unknown argument": (
        ['"shop.0002"', ROWS, LIMIT, "row=1"],
        "; its arguments are migration, rows, limit, database, seed, grow, reverse, time_budget",
    ),
    "no migration": ([ROWS, LIMIT], "missing 1 required positional argument: 'migration'"),
    "nested rows": (
        ['"shop.0002"', "rows=__import__('functools').reduce(lambda x, _: [x], range(9_000), 1)", LIMIT],
        "rows=[[[[...]]]] is not a mapping",
    ),
    "endless time budget": (
        ['"shop.0002"', ROWS, LIMIT, "time_budget=10**400"],
        "0000 is not a number of seconds that fit into a year",
    ),
    "unknown alias": (
        ['"shop.0002"', ROWS, LIMIT, 'database="replica"'],
        "database='replica' is not an alias in settings.DATABASES; the aliases are 'default', 'other'",
    ),
    "engine without support": (
        ['"shop.0002"', ROWS, LIMIT, 'database="other"'],
        "which membudget does not support; it supports sqlite, postgresql and mysql",
    ),
    "reverse not a bool": (['"shop.0002"', ROWS, LIMIT, "reverse=1"], "reverse=1 is neither True nor False"),
    "irreversible": (['"shop.0002"', ROWS, LIMIT, "reverse=True"], "can't be reversed"),
    "time budget": (['"shop.0002"', ROWS, LIMIT, "time_budget=0"], "time_budget: 0 is not a number of seconds"),
    "duration": (['"shop.0002"', ROWS, LIMIT, 'max_duration="15m"'], "max_duration: '15m' is not a number of seconds above zero, nor"),
    "server limit": (['"shop.0002"', ROWS, LIMIT, "limit_server=4"], "limit_server: 4 is 4 B, too little for a process of the server to start"),
    "seed in no module": (
        ['"shop.0002"', ROWS, LIMIT, 'seed="nowhere.seed"'],
        "a new process can't import 'nowhere'",
    ),
    "seed not there": (
        ['"shop.0002"', ROWS, LIMIT, 'seed="shop.models.seed"'],
        "has no attribute 'seed'",
    ),
    "seed is a lambda": (
        ['"shop.0002"', ROWS, LIMIT, "seed=lambda *args: None"],
        "pass a function at the top level of a module",
    ),
}  # fmt: skip


def shop_in(project: Project) -> Project:
    project.write("shop/models.py", "")
    project.migration("0002_loop", LOOP)
    project.migration("0003_a", LOOP)
    project.migration("0003_b", LOOP)
    project.migration("0004_later", LOOP)
    later = project.path / "shop/migrations/0004_later.py"
    create = 'migrations.CreateModel("Later", [("id", models.BigAutoField(primary_key=True))])'
    text = later.read_text().replace("migrations.RunPython(forwards, None)", create)
    later.write_text(text.replace("import migrations", "import migrations, models"))
    project.add("settings.py", 'DATABASES["other"] = {"ENGINE": "django.db.backends.dummy"}')
    return project


@pytest.fixture
def shop(project: Project) -> Project:
    return shop_in(project)


@pytest.fixture(scope="session")
def problems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one run says of all wrong markers, by test."""
    shop = shop_in(Project(tmp_path_factory.mktemp("wrong"), "sqlite", {}))
    shop.budgets(*(arguments for arguments, _ in WRONG.values()))
    shop.write("test_more.py", "def test_without_marker(membudget): ...")
    run = shop.run()
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert not (shop.path / "production.sqlite3").exists()
    lines = [line.removeprefix("ERROR: ") for line in run.errlines if line.startswith("ERROR: ")]
    return dict(line.split(": membudget: ", 1) for line in lines)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_marker_is_a_usage_error(problems: dict[str, str], wrong: str) -> None:
    assert WRONG[wrong][1] in problems[f"test_budget.py::test_{[*WRONG].index(wrong)}"]


def test_every_wrong_marker_of_a_run_is_named(problems: dict[str, str]) -> None:
    marked = [f"test_budget.py::test_{number}" for number in range(len(WRONG))]
    assert [*problems] == [*marked, "test_more.py::test_without_marker"]


def test_a_wrong_marker_of_a_deselected_test_is_no_error(shop: Project) -> None:
    shop.budget('"shop.9999"')
    shop.write("test_other.py", "def test_other(): pass")
    shop.run("-k", "other").assert_outcomes(passed=1, deselected=1)


UNKNOWN_GROUP = (
    "the project has no model 'auth.Group_permission'; did you mean auth.Group_permissions?"
)
CONFIGURES = """
def pytest_configure():
    from django.conf import settings
    import settings as module
    settings.configure(DATABASES=module.DATABASES, INSTALLED_APPS=module.INSTALLED_APPS)
"""
PYPROJECT = '[tool.membudget]\nlimit = "1Gi"\n'
GATE = ("--membudget-gate=shop.0002", "--membudget-limit=512Mi", "--membudget-rows=*=5")


@dataclass(frozen=True)
class Wrong:
    """``files`` are written into the project, ``ini`` is added to pytest.ini."""

    message: str
    files: dict[str, str] = field(default_factory=dict)
    ini: str = ""
    options: tuple[str, ...] = ()
    marker: tuple[str, ...] = ('"shop.0002"', ROWS, LIMIT)


OVERRIDE = '[tool.membudget.migrations."shop.{}]\n'
RUNS = {
    "no settings": Wrong(
        "no Django settings: set their module as for pytest-django", {"pytest.ini": "[pytest]\n"}
    ),
    "settings that a fresh process cannot load": Wrong(
        "settings.configure() was called in this process",
        {"pytest.ini": "[pytest]\npythonpath = .\n", "conftest.py": CONFIGURES},
    ),
    "syntax error": Wrong(
        "the project's migrations can't be loaded: ", {"shop/migrations/0009_broken.py": "def ("}
    ),
    "model": Wrong(
        "membudget_rows, from the command line: the project has no model 'shop.Ordr'; did you mean shop.Order?",
        options=("--membudget-rows=shop.Ordr=5",), marker=('"shop.0002"', LIMIT),
    ),
    "table between models": Wrong(
        f"membudget_rows, from the ini file: {UNKNOWN_GROUP}",
        ini="membudget_rows = auth.Group_permission=5", marker=('"shop.0002"', LIMIT),
    ),
    "model of no app": Wrong(
        "membudget_rows, from the command line: the project has no model 'nowhere.Thing'",
        options=("--membudget-rows=nowhere.Thing=5",), marker=('"shop.0002"', LIMIT),
    ),
    "no rows": Wrong(
        "rows: all row counts are 0 (shop.Order)",
        options=("--membudget-rows=shop.Order=0",), marker=('"shop.0002"', LIMIT),
    ),
    "pyproject": Wrong(
        "pyproject.toml: tool.membudget: unknown setting 'limit'",
        {"pyproject.toml": PYPROJECT}, options=("--collect-only",),
    ),
    "migration in pyproject": Wrong(
        "shop has no migration '0009'",
        {"pyproject.toml": OVERRIDE.format('0009"') + "limit = 1"}, options=("--collect-only", *GATE),
    ),
    "limit in pyproject": Wrong(
        "limit: ",
        {"pyproject.toml": OVERRIDE.format('0002"') + 'limit = "lots"'}, options=("--collect-only", *GATE),
    ),
    "gate": Wrong(
        "'shpo' is not an app with migrations, a migration, a path or a git ref",
        options=("--membudget-gate=shpo", *GATE[1:]),
    ),
    "profile": Wrong("no such file or directory", options=("--membudget-profile=other.json", "--collect-only")),
    "cgroup": Wrong(
        'limit="cgroup": this process runs under no memory limit', marker=('"shop.0002"', ROWS, 'limit="cgroup"'),
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", RUNS)
def test_a_run_ends_with_a_usage_error(shop: Project, wrong: str) -> None:
    if wrong == "cgroup" and memory_limit() is not None:
        pytest.skip("these tests run under a memory limit")
    run = RUNS[wrong]
    for name, text in run.files.items():
        shop.write(name, text)
    shop.add("pytest.ini", run.ini)
    shop.budget(*run.marker)
    result = shop.run(*run.options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert run.message in result.stderr.str()


def test_rows_of_a_model_that_only_some_migrations_know(shop: Project) -> None:
    shop.budget('"shop.0002"', LIMIT)
    labels = ("shop.Later", "shop.order", "auth.User", "auth.Group_permissions", "auth.User_groups")
    rows = [f"--membudget-rows={label}=5" for label in labels]
    assert shop.run("--collect-only", *rows).ret == pytest.ExitCode.OK


def test_one_report_that_cannot_be_written_loses_no_other(project: Project) -> None:
    project.write("test_plain.py", "def test_plain(): pass")
    paths = {"json": "results.json", "html": "/dev/full", "markdown": "deep/out.md"}
    result = project.run(*(f"--membudget-{name}={path}" for name, path in paths.items()))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["ERROR: --membudget-html: /dev/full can't be written: no space left on device"]
    )
    assert project.read_results() == []
    assert (project.path / "deep/out.md").exists()


HOSTILE = (
    "\\x1b[31mgotcha\\n::error file=a.py::gotcha\\n  ##[error]gotcha\\n\\x1b[31mred\\u202e\\x00"
)


def test_an_exception_s_text_is_shown_harmlessly(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    project.check(f"def forwards(apps, schema_editor):\n    raise ValueError('{HOSTILE}')\n")
    files = ["results.json", "page.html", "out.md", "summary.md", "junit.xml"]
    options = [
        f"--membudget-{name}={path}"
        for name, path in zip(("json", "html", "markdown"), files, strict=False)
    ]
    run = project.run("-v", "--junitxml=junit.xml", *options)
    run.assert_outcomes(failed=1)
    (ours,) = [line for line in run.outlines if re.match(r"\s*::|.*##\[", line)]
    assert ours.startswith("::error file=shop/migrations/0002_it.py,line=1,title=shop.0002_it")
    for text in (run.stdout.str(), *((project.path / name).read_text() for name in files)):
        assert "gotcha" in text
        assert not re.search("[\x00\x1b\u202e]", text)
