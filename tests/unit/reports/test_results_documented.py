"""docs/results.md and docs/schema.json say what results hold, and results are as they say."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from results import explained, passing, result

from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.explanation import AdviceCode, Line
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.result import Result, SampleFigures, SecondsByPart
from pytest_membudget.judge.tables import TableFigures
from pytest_membudget.judge.verdict import Basis, Verdict
from pytest_membudget.reports.document import Document, read_document, write_json
from pytest_membudget.reports.results_so_far import ResultsSoFar
from pytest_membudget.reports.schema import json_schema
from pytest_membudget.sample import Outcome

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "results.md").read_text()
VALIDATOR = jsonschema.Draft202012Validator(json_schema())
PACKAGE = Path(__file__).parents[3] / "pytest_membudget"


def listed(title: str) -> list[str]:
    """What the first cells of the tables below a heading name, down to the next heading."""
    section = re.split(r"(?m)^#+ ", PAGE.partition(f"# {title}\n")[2])[0]
    cells = re.findall(r"(?m)^\| (`[^|]*) \|", section)
    return [name for cell in cells for name in re.findall("`(.+?)`", cell)]


ENUMERATIONS: dict[str, type[Enum]] = {
    "Verdicts": Verdict,
    "Basis": Basis,
    "Growth": Growth,
    "Outcomes": Outcome,
    "Findings": FindingCode,
    "Advice": AdviceCode,
}
KEYS = {
    "The document": Document,
    "A result": Result,
    "Seconds": SecondsByPart,
    "A table": TableFigures,
    "A sample": SampleFigures,
    "A line": Line,
}
NAMES = {
    **{title: [member.value for member in kind] for title, kind in ENUMERATIONS.items()},
    **{title: [field.name for field in fields(kind)] for title, kind in KEYS.items()},
}


@pytest.mark.parametrize("title", NAMES)
def test_each_name_is_listed_with_its_meaning(title: str) -> None:
    assert sorted(listed(title)) == sorted(NAMES[title])


@pytest.mark.parametrize("kind", [FindingCode, AdviceCode])
def test_each_code_is_used(kind: type[Enum]) -> None:
    sources = [path.read_text() for path in PACKAGE.rglob("*.py")]
    for member in kind:
        assert any(f"{kind.__name__}.{member.name}" in source for source in sources), member


def test_the_schema_is_up_to_date() -> None:
    text = json.dumps(json_schema(), indent=2) + "\n"
    assert (DOCS / "schema.json").read_text() == text, "python -m pytest_membudget.reports.schema"
    VALIDATOR.check_schema(json_schema())


def test_what_is_written_is_valid_and_read(tmp_path: Path) -> None:
    stacks = {"rows": 5, "frames": [["f", "a.py", 1]], "stacks": [[1.5, 0.5, [0]]]}
    path = tmp_path / "results.json"
    results = (explained(stacks=stacks), passing(outcome="passed"), result())
    write_json(results, str(path))
    VALIDATOR.validate(json.loads(path.read_text()))
    assert read_document(str(path)).results == results


def test_results_so_far_are_all_written_at_little_cost(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    so_far = ResultsSoFar(str(path))
    wide = result(reason="x" * 30_000)

    def written() -> list[str]:
        document = json.loads(path.read_text())
        VALIDATOR.validate({**document, "results": document["results"][-1:]})
        return [one["nodeid"] for one in document["results"]]

    assert written() == []
    names = [f"test_budget.py::test_{number}" for number in range(500)]
    for end in (1, 2, 3, 4):
        so_far.add(replace(wide, nodeid=names[end - 1]))
        assert written() == names[:end]
    begin = time.process_time()
    for name in names[4:]:
        so_far.add(replace(wide, nodeid=name))
    assert time.process_time() - begin < 2  # to write all of them again takes ten times as long
    assert written() == names
    write_json([wide], str(path))
    assert [one.name for one in tmp_path.iterdir()] == ["results.json"]


def test_results_so_far_go_to_no_pipe(tmp_path: Path) -> None:
    """Whoever reads it would get one document after the other."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    ResultsSoFar(str(path)).add(result())
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.json")
    ResultsSoFar(str(path)).add(result())
    write_json([result()], str(path))
    assert read_document(str(tmp_path / "elsewhere.json")).results == (result(),)


@pytest.mark.parametrize(
    "wrong",
    [{"verdict": "fine"}, {"peak_bytes": -1}, {"samples": [{}]}, {"findings": [{"code": 5}]}],
)
def test_the_schema_refuses_what_the_reader_refuses(wrong: dict[str, Any]) -> None:
    document = {"schema": 1, "results": [{**result().to_dict(), **wrong}]}
    assert not VALIDATOR.is_valid(document)


def test_a_code_of_another_version_is_read_and_valid() -> None:
    findings = [{"code": "of-the-future", "message": "it is there"}]
    advice = [{"code": "of-the-future", "message": "do it"}]
    read = result(findings=findings, advice=advice)
    assert read.to_dict()["findings"] == findings
    assert read.advice[0].code == "of-the-future"
    VALIDATOR.validate({"schema": 1, "results": [read.to_dict()]})
