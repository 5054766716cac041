"""Releases of django-oauth-toolkit from PyPI, gated with no help: no seed, no marker.

Issue 1521 of django-oauth-toolkit: ``oauth2_provider.0012`` of 3.0.0 fills a column of every access
token in a loop over ``all()``, and was killed for want of memory where there were 1.7 million.
3.1.0 loops over ``iterator()``, and 3.4.1 goes through the tokens in batches.  The gate has to
refuse the first with the line and the change that the maintainers then made, and pass the others.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from project import Project

MIGRATION = "oauth2_provider.0012_add_token_checksum"
# What the package itself requires, beside Django.
REQUIREMENTS = ("requests", "oauthlib", "jwcrypto")
LIMIT = 512 * 2**20
# Three times the default: other tests, and what else the machine does, want its cores too.
TIME_BUDGET = 180


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for this run's installed packages, the same in all workers of xdist."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "packages"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def toolkit(
    packages: Path,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Project:
    """A project that has the release of django-oauth-toolkit which the test asks for."""
    release = f"django-oauth-toolkit=={request.param}"
    folders = [install(packages, *REQUIREMENTS), install(packages, release, "--no-deps")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, folders)))
    settings = project.path / "settings.py"
    settings.write_text(settings.read_text() + 'INSTALLED_APPS += ["oauth2_provider"]\n')
    project.attribution = None
    return project


def install(packages: Path, *arguments: str) -> Path:
    """The folder that ``pip install`` with these arguments filled: by one worker, for all."""
    # As in an environment, whose packages are shown from this folder on.
    folder = packages / arguments[0] / "site-packages"
    done = packages / f"{arguments[0]}.done"
    with (packages / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
            subprocess.run([*pip, *arguments], check=True)
            done.touch()
    return folder


def gate(project: Project) -> pytest.RunResult:
    return project.run(
        "--membudget-gate=oauth2_provider.0012",
        "--membudget-limit=512Mi",
        "--membudget-rows=oauth2_provider.AccessToken=1_700_000",
        f"--membudget-time-budget={TIME_BUDGET}",
        "--membudget-json=results.json",
    )


@pytest.mark.parametrize("toolkit", ["3.0.1"], indirect=True)
def test_the_loop_over_all_tokens_is_refused(toolkit: Project, vendor: str) -> None:
    gate(toolkit).assert_outcomes(failed=1)
    (result,) = toolkit.read_results()
    assert (result["migration"], result["verdict"]) == (MIGRATION, "exceeds"), result["reason"]
    assert list(result["rows"]) == ["oauth2_provider.AccessToken"]
    assert result["growth"] == "linear"
    # It is 2.1 GiB on SQLite and 2.6 GiB on PostgreSQL.
    assert 3 * LIMIT < result["peak_bytes"] < 7 * LIMIT
    first = result["attribution"][0]
    assert first["source"] == "for accesstoken in accesstokens:"
    assert first["file"] == "oauth2_provider/migrations/0012_add_token_checksum.py"
    (advice,) = [one for one in result["advice"] if one["code"] == "iterator"]
    assert advice["peak_bytes"] < LIMIT


@pytest.mark.parametrize("toolkit", ["3.1.0", "3.4.1"], indirect=True)
def test_the_mended_releases_pass(toolkit: Project, vendor: str) -> None:
    gate(toolkit).assert_outcomes(passed=1)
    (result,) = toolkit.read_results()
    assert (result["migration"], result["verdict"]) == (MIGRATION, "within"), result["reason"]
    assert result["samples"]
    assert list(result["rows"]) == ["oauth2_provider.AccessToken"]
    assert result["peak_high_bytes"] < LIMIT / 2
