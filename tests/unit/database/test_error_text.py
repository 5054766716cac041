"""What is said of an exception in one line."""

from __future__ import annotations

from django.core.management.base import SystemCheckError

from pytest_membudget.database.error_text import first_line

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
