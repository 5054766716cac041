"""Each option on the command line and in the ini file: what is read, and what is refused."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from pytest_membudget.budget.options import Options, header
from pytest_membudget.plugin.options import read_options

# Two values of each option, as they are written.
VALUES = {
    "limit": ("300Mi", "1Gi"),
    "rows": ("shop.Order=300", "shop.Order=7"),
    "time_budget": ("30", "1"),
    "json": ("one.json", "two.json"),
    "html": ("one.html", "two.html"),
    "markdown": ("one.md", "two.md"),
    "attribution": ("never", "always"),
    "profile": ("one.json", "two.json"),
    "rows_file": ("one.json.gz", "two.json.gz"),
    "gate": ("shop", "all"),
    "inconclusive": ("warn", "fail"),
    "growth": ("5% a month", "1% a week"),
    "server": ("configured", "embedded"),
    "rebuild": ("yes", "no"),
    "baseline": ("one.json", "two.json"),
    "confirm": ("yes", "no"),
    "max_duration": ("15min", "2h"),
    "limit_server": ("4Gi", "2Gi"),
    "speed": ("1.5", "2"),
}
IN_INI_ONLY = ("inconclusive", "growth", "limit_server", "speed")
WITHOUT_VALUE = ("rebuild", "confirm")
SHOWN = {"300Mi": "300 MiB", "30": "30 s", "15min": "15 min", "4Gi": "4 GiB"}


def read(pytester: pytest.Pytester, ini: str, *arguments: str) -> Options:
    pytester.makeini(f"[pytest]\n{ini}\n")
    plugins = ("-p", "no:django", "-p", "no:hypothesispytest")
    return read_options(pytester.parseconfig(*plugins, *arguments))


def test_each_option_is_tried() -> None:
    assert set(VALUES) == {field.name for field in fields(Options)} - {"rootdir"}


@pytest.mark.parametrize("option", VALUES)
def test_the_command_line_comes_before_the_ini_file(pytester: pytest.Pytester, option: str) -> None:
    value, other = VALUES[option]
    name, shown = option.replace("_", " "), SHOWN.get(value, value)
    line = header(read(pytester, f"membudget_{option} = {value}"))
    assert line == f"membudget: {name} {shown} (from the ini file)"
    if option not in IN_INI_ONLY:
        flag = f"--membudget-{option.replace('_', '-')}"
        flag += "" if option in WITHOUT_VALUE else f"={value}"
        line = header(read(pytester, f"membudget_{option} = {other}", flag))
        assert line == f"membudget: {name} {shown} (from the command line)"


@pytest.mark.parametrize(
    ("ini", "option", "message"),
    [
        ("", "limit=much", "argument --membudget-limit: 'much' is not a size"),
        ("", "time-budget=-1", "'-1' is not a number of seconds above zero"),
        ("", "max-duration=soon", "argument --membudget-max-duration: 'soon' is not a number of s"),
        ("max_duration = 15m", "", "membudget_max_duration: '15m' is not a number of seconds"),
        ("limit_server = 4", "", "too little for a process of the server to start; did you mean"),
        ("speed = fast", "", "membudget_speed: 'fast' is not a speed relative to this machine's"),
        ("speed = 0", "", "membudget_speed: '0' is not a speed relative to this machine's"),
        ("", "attribution=maybe", "invalid choice: 'maybe'"),
        ("", "rows=shop.Order", "'shop.Order' is not MODEL=N"),
        *(("", f"{name}=blocked/results", "'blocked/results' is not a path that a file can be")
          for name in ("json", "html", "markdown")),
        ("", "server=embeded:16", "membudget_server: 'embeded:16' is none of"),
        ("", "server=embedded:", "membudget_server: 'embedded:' is none of"),
        ("server = embedded:new", "", "membudget_server: 'embedded:new' is none of"),
        ("limit = much", "", "membudget_limit: 'much' is not a size"),
        ("rows = shop.Order=none", "", "membudget_rows: rows['shop.Order']: 'none'"),
        ("time_budget = soon", "", "membudget_time_budget: 'soon' is not a number"),
        ("attribution = maybe", "", 'none of "failed", "always" and "never"'),
        ("rebuild = maybe", "", 'membudget_rebuild: \'maybe\' is neither "yes" nor "no"'),
        ("inconclusive = pass", "", '\'pass\' is neither "fail" nor "warn"'),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused(
    pytester: pytest.Pytester, ini: str, option: str, message: str
) -> None:
    pytester.path.joinpath("blocked").touch()
    with pytest.raises(pytest.UsageError, match=re.escape(message)):
        read(pytester, f"membudget_{ini}" if ini else "", *[f"--membudget-{option}"][: len(option)])
