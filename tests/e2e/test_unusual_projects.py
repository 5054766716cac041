"""Projects that lack what most have, or load what most don't."""

from __future__ import annotations

from project import STREAM, Project

ROWS = 'rows={"shop.Order": 30_000}'


def test_a_project_in_which_no_app_has_models(project: Project) -> None:
    """Django emits pre_migrate for apps with a module of models only."""
    project.add("settings.py", 'INSTALLED_APPS = ["shop"]')
    project.check(STREAM, ROWS, 'limit="512Mi"')
    result = project.result()
    assert result["verdict"] == "within", result["reason"] + result["details"]
    assert result["baseline_bytes"] is not None


def test_settings_that_read_the_settings_as_they_are_loaded(project: Project) -> None:
    """A module that settings import does so, as one that defines functions for them may."""
    project.write("helpers.py", "from django.db import connection\nVENDOR = connection.vendor\n")
    project.add("settings.py", "import helpers")
    project.check(STREAM, ROWS, 'limit="512Mi"')
    result = project.result()
    assert result["verdict"] == "within", result["reason"] + result["details"]
