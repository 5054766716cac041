"""What is said of an exception in one line."""

from __future__ import annotations

import pymysql
import pytest
from django.core.management.base import SystemCheckError

from pytest_membudget.database.error_text import first_line, message

# As the command prints it.
CHECKS = """SystemCheckError: System check identified some issues:

ERRORS:
?: (files.E001) The FILE_UPLOAD_TEMP_DIR setting refers to the nonexistent directory '/tmp/x'.
shop.Order: (models.E015) 'ordering' refers to the nonexistent field 'x'.

WARNINGS:
?: (urls.W005) URL namespace 'admin' isn't unique.
"""


def test_a_failed_system_check_says_which() -> None:
    assert first_line(SystemCheckError(CHECKS)) == (
        "SystemCheckError: ?: (files.E001) The FILE_UPLOAD_TEMP_DIR setting refers to the "
        "nonexistent directory '/tmp/x'."
    )
    assert first_line(SystemCheckError("some checks\nfailed")) == "SystemCheckError: some checks"
    assert first_line(ValueError("one\ntwo")) == "ValueError: one"
    assert first_line(ValueError()) == "ValueError"


@pytest.mark.parametrize(
    ("number", "text", "shown"),
    [
        (1146, "Table 'a.b' doesn't exist", "Table 'a.b' doesn't exist"),
        (1062, "Duplicate entry 's' for key 'of'", "Duplicate entry '********' for key 'of'"),
        (
            1062,
            "Duplicate entry 's' for key 'x' for key 'of'",
            "Duplicate entry '********' for key 'of'",
        ),
        (
            1366,
            "Incorrect integer value: 's' for column `a`.`b`.`c` at row 1",
            "Incorrect integer value: '********' for column `a`.`b`.`c` at row 1",
        ),
        (
            1064,
            "syntax error near 'SELECT 's'' at line 1",
            "syntax error near '********' at line 1",
        ),
        (1644, "a trigger said 's'", "a trigger said '********'"),
    ],
)
def test_values_in_errors_of_mariadb_are_hidden(number: int, text: str, shown: str) -> None:
    assert message(pymysql.err.IntegrityError(number, text)) == f"({number}, {shown})"
