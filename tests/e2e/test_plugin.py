"""The marker, the fixture and the options, as a user of pytest meets them."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from project import LOOP, STREAM, Project

BUDGET = '"shop.0002", rows={"shop.Order": 400}, limit="512Mi"'


@pytest.fixture
def shop(project: Project) -> Project:
    project.migration("0002_loop", LOOP, backwards="lambda apps, schema_editor: None")
    project.migration("0003_stream", STREAM)
    return project


def test_the_marker_alone_enforces(shop: Project) -> None:
    shop.budget(BUDGET)
    shop.run().assert_outcomes(passed=1)
    shop.budget(BUDGET.replace("512Mi", "16Mi"))
    result = shop.run("--strict-markers", "-W", "error", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["shop.0002_loop peaked at * MiB, over the limit of 16 MiB, with 100 of 400 shop.Order *"]
    )


def test_the_fixture_returns_the_result(shop: Project) -> None:
    shop.budget(
        BUDGET,
        fixtures="membudget",
        body="result = membudget.check(); assert result is membudget.check(); "
        "assert (result.verdict, result.basis) == ('within', 'measured'); "
        "assert result.peak_low_bytes <= result.peak_bytes <= result.peak_high_bytes; "
        "assert result.baseline_bytes < result.peak_bytes < result.limit_bytes == 512 * 1024**2; "
        "assert result.rows == {'shop.Order': 400}",
    )
    shop.run().assert_outcomes(passed=1)


def test_the_fixture_fails_the_test_where_it_checks(shop: Project) -> None:
    shop.budget(
        BUDGET.replace("512Mi", "16Mi"), fixtures="membudget", body="membudget.check(); assert 0"
    )
    result = shop.run()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*assert 0*")


def test_a_body_that_fails_or_skips_is_not_measured(shop: Project) -> None:
    shop.budget(BUDGET, body="pytest.skip('later')")
    assert shop.results() == []
    shop.budget(BUDGET, body="assert False")
    assert shop.results() == []


def test_marks_of_every_kind(shop: Project) -> None:
    shop.write(
        "test_marks.py",
        """
        import pytest
        import unittest

        BUDGET = dict(rows={"shop.Order": 50}, limit="512Mi")

        @pytest.mark.parametrize("name", [
            pytest.param("a", marks=pytest.mark.membudget("shop.0002", **BUDGET)),
            pytest.param("b", marks=pytest.mark.membudget(("shop", "0003_stream"), **BUDGET)),
        ])
        def test_param(name): ...

        @pytest.mark.membudget("shop.0002", **BUDGET)
        class TestClass:
            def test_method(self): ...

            @pytest.mark.membudget(["shop.0002", "shop.0003"], **BUDGET)
            def test_closest(self): ...

        @pytest.mark.membudget("shop.0002", **BUDGET)
        class TestUnittest(unittest.TestCase):
            def test_method(self): ...

        @pytest.mark.xfail(strict=True, reason="far too much")
        @pytest.mark.membudget("shop.0002", rows={"shop.Order": 50}, limit="1Mi")
        def test_xfail(): ...
        """,
    )
    results = shop.results("-rx")
    assert [(result["nodeid"].split("::", 1)[1], result["migration"]) for result in results] == [
        ("TestClass::test_closest", "shop.0002_loop + shop.0003_stream"),
        ("TestClass::test_method", "shop.0002_loop"),
        ("TestUnittest::test_method", "shop.0002_loop"),
        ("test_param[a]", "shop.0002_loop"),
        ("test_param[b]", "shop.0003_stream"),
        ("test_xfail", "shop.0002_loop"),
    ]
    assert {result["verdict"] for result in results[:-1]} == {"within"}
    assert results[-1]["verdict"] == "exceeds"


def test_reverse(shop: Project, vendor: str) -> None:
    shop.budget(BUDGET, "reverse=True")
    result = shop.result()
    assert (result["verdict"], result["reverse"]) == ("inconclusive", True)
    assert "touched none of the seeded rows" in result["reason"]


OUTPUTS = ["json", "html", "markdown"]


@pytest.mark.parametrize(
    "option", ["limit", "rows", "time_budget", *OUTPUTS, "inconclusive", "attribution"]
)
def test_each_ini_setting_is_read(shop: Project, option: str) -> None:
    shop.attribution = None
    values = {
        "limit": "300Mi",
        "rows": "shop.Order=300",
        "time_budget": "30",
        **{name: f"results.{name}" for name in OUTPUTS},
        "inconclusive": "warn",
        "attribution": "never",
    }
    shop.budget(*_without(option))
    with (shop.path / "pytest.ini").open("a") as file:
        file.write(f"membudget_{option} = {values[option]}\n")
    result = shop.run()
    result.assert_outcomes(passed=1)
    shown = values[option].replace("Mi", " MiB").replace("30", "30 s", option == "time_budget")
    name = option.replace("_", " ")
    result.stdout.fnmatch_lines([f"membudget: {name} {shown} (from the ini file)"])
    if option in OUTPUTS:
        assert (shop.path / f"results.{option}").exists()


@pytest.mark.parametrize("option", ["limit", "rows", "time_budget", *OUTPUTS, "attribution"])
def test_the_command_line_comes_before_the_ini_file(shop: Project, option: str) -> None:
    shop.attribution = None
    ini = {"limit": "1Mi", "rows": "shop.Order=7", "time_budget": "1", "attribution": "always"}
    line = {
        "limit": "400Mi",
        "rows": "shop.Order=300",
        "time_budget": "50",
        "attribution": "never",
    }
    ini.update({name: f"ini.{name}" for name in OUTPUTS})
    line.update({name: f"line.{name}" for name in OUTPUTS})
    shop.budget(*_without(option))
    with (shop.path / "pytest.ini").open("a") as file:
        file.write(f"membudget_{option} = {ini[option]}\n")
    name = option.replace("_", "-")
    result = shop.run(f"--membudget-{name}={line[option]}")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["membudget: * (from the command line)"])
    assert not list(shop.path.glob("ini.*"))
    if option in OUTPUTS:
        assert (shop.path / f"line.{option}").exists()


def test_the_marker_comes_before_the_command_line(shop: Project) -> None:
    shop.budget(BUDGET)
    result = shop.result("--membudget-limit=1Mi", "--membudget-rows=shop.Order=1_000_000")
    assert (result["limit_bytes"], result["rows"]) == (512 * 1024**2, {"shop.Order": 400})
    assert result["limit_source"] == "the marker"


def _without(option: str) -> list[str]:
    arguments = {"limit": 'limit="512Mi"', "rows": 'rows={"shop.Order": 300}'}
    return ['"shop.0002"', *(text for name, text in arguments.items() if name != option)]


@pytest.mark.parametrize(("setting", "outcome"), [("fail", "failed"), ("warn", "passed")])
def test_inconclusive(shop: Project, setting: str, outcome: str) -> None:
    shop.migration("0004_none", "def forwards(apps, schema_editor): pass")
    shop.budget('"shop.0004"', 'rows={"shop.Order": 100}', 'limit="512Mi"')
    with (shop.path / "pytest.ini").open("a") as file:
        file.write(f"membudget_inconclusive = {setting}\n")
    result = shop.run()
    result.assert_outcomes(**{outcome: 1}, warnings=int(setting == "warn"))
    result.stdout.fnmatch_lines(
        ["*shop.0004_none touched none of the seeded rows (100 shop.Order)*"]
    )


def test_junit_has_the_figures_as_properties(shop: Project) -> None:
    shop.budget(BUDGET)
    shop.run("--junitxml=junit.xml")
    root = ElementTree.parse(shop.path / "junit.xml")
    properties = {one.get("name"): one.get("value") for one in root.iter("property")}
    assert properties["membudget_verdict"] == "within"
    assert properties["membudget_migration"] == "shop.0002_loop"
    assert int(properties["membudget_peak_bytes"] or 0) > 20 * 1024**2


def test_results_travel_through_xdist(shop: Project) -> None:
    shop.budget(BUDGET)
    shop.write("test_more.py", (shop.path / "test_budget.py").read_text())
    results = shop.results("-n", "2", "--junitxml=junit.xml")
    assert [result["nodeid"] for result in results] == [
        "test_budget.py::test_fits",
        "test_more.py::test_fits",
    ]
    assert "membudget_verdict" in (shop.path / "junit.xml").read_text()
    out = shop.run("-n", "2").stdout
    out.fnmatch_lines(["*memory budgets*", "* shop.0002_loop *400*512 MiB*within*"])


def test_a_wrong_marker_under_xdist(shop: Project) -> None:
    shop.budget('"shop.0009"')
    result = shop.run("-n", "2")
    assert result.ret != 0
    assert "shop has no migration '0009'" in result.stdout.str() + result.stderr.str()


def test_json_has_the_shape_of_schema_1(shop: Project, vendor: str) -> None:
    shop.budget(BUDGET)
    shop.run("--membudget-json=deep/results.json").assert_outcomes(passed=1)
    document = json.loads((shop.path / "deep/results.json").read_text())
    assert document["schema"] == 1
    assert set(document["tool"]) == {"version"}
    assert set(document["environment"]) == {"python", "django", "platform"}
    (result,) = document["results"]
    assert result["database"]["vendor"] == vendor
    assert result["database"]["alias"] == "default"
    sample = result["samples"][-1]
    assert sample["rows"] == {"shop.Order": 400}
    assert sample["rows_read"] == 400
    assert sample["rows_written"] == 0
    assert 0 < sample["anonymous_bytes"] < sample["peak_bytes"]


def test_it_can_be_switched_off_and_loaded_by_name(shop: Project) -> None:
    shop.attribution = None
    shop.write("test_plain.py", "def test_plain(): pass")
    shop.run("-p", "no:membudget").assert_outcomes(passed=1)
    shop.pytester._monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    shop.run("-p", "pytest_django.plugin", "-p", "pytest_membudget.plugin").assert_outcomes(
        passed=1
    )


def test_a_project_without_the_marker_imports_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_plain():
            heavy = {"django", "psutil", "memray", "rich", "jinja2", "plotille", "msgspec"}
            assert not heavy & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-p", "no:django").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "module",
    ["judge.projection", "judge.ladder", "judge.verdict", "budget.request", "units", "sample"],
)
def test_pure_modules_import_no_framework(module: str) -> None:
    code = (
        f"import sys, pytest_membudget.{module}\n"
        "print(sorted({'django', 'pytest', 'psutil', 'memray', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_worker_imports_no_pytest(shop: Project) -> None:
    code = "import sys; assert not {'pytest', '_pytest', 'psutil', 'rich'} & set(sys.modules)"
    shop.migration("0004_look", f"def forwards(apps, schema_editor):\n    {code}\n")
    shop.budget('"shop.0004"', 'rows={"shop.Order": 100}', 'limit="512Mi"')
    assert shop.result()["verdict"] == "inconclusive"


def test_a_test_that_is_run_again_is_measured_again(shop: Project) -> None:
    shop.write(
        "conftest.py",
        """
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            for _ in range(2):
                for report in runtestprotocol(item, nextitem=nextitem, log=False):
                    item.ihook.pytest_runtest_logreport(report=report)
            return True
        """,
    )
    shop.budget(BUDGET.replace("512Mi", "16Mi"))
    shop.run().assert_outcomes(failed=2)
    assert len(shop.results()) == 1
