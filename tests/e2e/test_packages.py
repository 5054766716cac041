"""Releases of django-oauth-toolkit from PyPI, gated with no help: no seed, no marker.

Issue 1521 of django-oauth-toolkit: ``oauth2_provider.0012`` of 3.0.0 fills a column of every access
token in a loop over ``all()``, and was killed for want of memory where there were 1.7 million.
3.1.0 loops over ``iterator()``.  The gate has to refuse the first with the line and the change that
the maintainers then made, and pass the other.  3.4.1 goes through them in batches, see
docs/packages.md.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from project import Project

LIMIT = 512 * 2**20


@pytest.fixture
def toolkit(
    project: Project,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Project:
    """A project that has the release of django-oauth-toolkit which the test asks for."""
    # As in an environment, whose packages are shown from this folder on.
    folder = str(tmp_path_factory.mktemp("packages") / "site-packages")
    release = f"django-oauth-toolkit=={request.param}"
    for packages in ([release, "--no-deps"], ["requests", "oauthlib", "jwcrypto"]):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
        subprocess.run([*pip, "--target", folder, *packages], check=True)
    monkeypatch.setenv("PYTHONPATH", folder)
    project.add("settings.py", 'INSTALLED_APPS += ["oauth2_provider"]')
    project.attribution = None
    return project


def gate(project: Project) -> dict[str, Any]:
    result = project.result(
        "--membudget-gate=oauth2_provider.0012",
        "--membudget-limit=512Mi",
        "--membudget-rows=oauth2_provider.AccessToken=1_700_000",
    )
    assert result["migration"] == "oauth2_provider.0012_add_token_checksum"
    assert list(result["rows"]) == ["oauth2_provider.AccessToken"]
    assert result["samples"]
    return result


@pytest.mark.parametrize(("vendor", "toolkit"), [("sqlite", "3.0.1")], indirect=["toolkit"])
def test_the_loop_over_all_tokens_is_refused(toolkit: Project, vendor: str) -> None:
    result = gate(toolkit)
    assert (result["verdict"], result["growth"]) == ("exceeds", "linear"), result["reason"]
    # It is 2.1 GiB on SQLite and 2.6 GiB on PostgreSQL.
    assert 3 * LIMIT < result["peak_bytes"] < 7 * LIMIT
    first = result["attribution"][0]
    assert first["source"] == "for accesstoken in accesstokens:"
    assert first["file"] == "oauth2_provider/migrations/0012_add_token_checksum.py"
    (advice,) = [one for one in result["advice"] if one["code"] == "iterator"]
    assert advice["peak_bytes"] < LIMIT


@pytest.mark.parametrize(("vendor", "toolkit"), [("postgresql", "3.1.0")], indirect=["toolkit"])
def test_the_mended_release_passes(toolkit: Project, vendor: str) -> None:
    result = gate(toolkit)
    assert result["verdict"] == "within", result["reason"]
    assert result["peak_bytes"] < LIMIT / 2
