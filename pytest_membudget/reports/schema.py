"""The JSON Schema of the results, of what is written and of what is read.

python -m pytest_membudget.reports.schema > docs/schema.json
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.explanation import AdviceCode
from pytest_membudget.reports.document import Document


def json_schema() -> dict[str, Any]:
    """The schema of a document.  Another version may have more keys, and more codes."""
    schema = msgspec.json.schema(Document)
    for definition in schema["$defs"].values():
        if "description" in definition:  # a docstring, indented before Python 3.13
            definition["description"] = " ".join(definition["description"].split())
    for kind in (FindingCode, AdviceCode):
        definition = schema["$defs"][kind.__name__]
        definition["anyOf"] = [{"enum": definition.pop("enum")}, {"type": "string"}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2))
