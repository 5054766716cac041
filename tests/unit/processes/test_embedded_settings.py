"""What leads to the server of the project's settings, and what leads to the embedded one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_membudget.database.target import RefusedDatabase, Target
from pytest_membudget.processes.embedded.main import place
from pytest_membudget.processes.redirection import children, drivers, settings
from pytest_membudget.processes.redirection.embedded import elsewhere

ENGINE = "django.db.backends.postgresql"
EMBEDDED = {"HOST": "/run/server", "PORT": "5432", "USER": "postgres", "PASSWORD": ""}
STAYS = {"CONN_MAX_AGE": 60, "TIME_ZONE": "UTC"}
OPTIONS_STAY = {"options": "-c work_mem=5MB", "server_side_binding": True, "connect_timeout": 5}


def production() -> dict[str, Any]:
    return {
        "ENGINE": ENGINE,
        "NAME": "production",
        "HOST": "db",
        "PORT": 5433,
        "USER": "app",
        "PASSWORD": "secret",
        **STAYS,
        "OPTIONS": {
            **OPTIONS_STAY,
            "host": "db2",
            "hostaddr": "10.0.0.1",
            "port": 1,
            "service": "main",
            "passfile": "/pass",
            "sslmode": "verify-full",
            "sslcert": "/cert",
            "sslnegotiation": "direct",
            "ssl_min_protocol_version": "TLSv1.3",
            "channel_binding": "require",
            "target_session_attrs": "read-write",
            "assume_role": "owner",
            "dbname": "production",
        },
    }


def test_the_path_of_a_socket_is_short_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    assert place() == "/tmp"
    monkeypatch.setattr("tempfile.tempdir", f"/tmp/{'x' * 80}")
    assert place() == "/tmp"


@pytest.fixture
def target(tmp_path: Path) -> Target:
    file = str(tmp_path / "target")
    return Target("default", "scratch", "mark", str(tmp_path), file, embedded=EMBEDDED)


def test_only_what_names_the_server_is_replaced(target: Target) -> None:
    databases = {"default": production()}
    for _ in range(2):  # aliases are looked at again when they are connected to
        settings.redirect(databases, target)
        assert databases["default"] == {
            "ENGINE": ENGINE,
            "NAME": "scratch",
            **EMBEDDED,
            **STAYS,
            "OPTIONS": OPTIONS_STAY,
        }


def test_a_database_that_has_no_name_yet_is_there_too(target: Target) -> None:
    target.name = None
    databases = {"default": production()}
    settings.redirect(databases, target)
    assert databases["default"]["HOST"] == "/run/server"


@pytest.mark.parametrize(
    ("changes", "open_"),
    [
        ({}, True),
        ({"NAME": "x", "TEST": {"MIRROR": "default"}}, True),
        ({"NAME": "other"}, False),
        ({"HOST": "far"}, False),
        ({"ENGINE": "django.db.backends.mysql"}, False),
    ],
)
def test_other_aliases_are_closed_as_ever(
    target: Target, changes: dict[str, Any], open_: bool
) -> None:
    databases = {"default": production(), "other": {**production(), **changes}}
    settings.redirect(databases, target)
    other = databases["other"]
    if open_:
        assert (other["HOST"], other["NAME"]) == ("/run/server", "scratch")
    else:
        assert other["ENGINE"] == settings.CLOSED_ENGINE


def test_an_environment_leads_there_as_well(target: Target) -> None:
    environment = {
        "PGHOST": "db",
        "PGHOSTADDR": "10.0.0.1",
        "PGPASSWORD": "secret",
        "PGSERVICE": "main",
        "PGSSLMODE": "verify-full",
        "PGOPTIONS": "-c work_mem=5MB",
    }
    children.complete(environment, target)
    ours = {name: value for name, value in environment.items() if name[:2] == "PG"}
    assert ours == {
        "PGHOST": "/run/server",
        "PGHOSTADDR": "",
        "PGPORT": "5432",
        "PGUSER": "postgres",
        "PGPASSWORD": "",
        "PGSSLMODE": "prefer",
        "PGOPTIONS": "-c work_mem=5MB",
    }
    target.embedded = {}
    before = {"PGHOST": "db", "PGSERVICE": "main"}
    children.complete(environment := dict(before), target)
    assert environment.items() >= before.items()


@pytest.mark.parametrize(
    ("parameters", "environment", "expected"),
    [
        ({"host": "/run/server"}, {}, ""),
        ({}, {"PGHOST": "/run/server"}, ""),
        ({"host": "db"}, {"PGHOST": "/run/server"}, "db"),
        ({"host": "/run/server,db"}, {}, "/run/server,db"),
        ({"host": "/run/server", "hostaddr": "10.0.0.1"}, {}, "10.0.0.1"),
        ({"host": "/run/server"}, {"PGHOSTADDR": "10.0.0.1"}, "10.0.0.1"),
        ({"host": "/run/server", "service": "main"}, {}, "main"),
        ({"host": "/run/server"}, {"PGSERVICE": "main"}, "main"),
        ({}, {}, "libpq's default"),
    ],
)
def test_where_a_connection_leads(
    parameters: dict[str, str], environment: dict[str, str], expected: str
) -> None:
    assert elsewhere(parameters, environment, EMBEDDED) == expected


def test_a_connection_elsewhere_is_refused_before_it_is_made(target: Target) -> None:
    with (
        pytest.raises(RefusedDatabase, match="a connection to the PostgreSQL server 'db'"),
        drivers._attempt(lambda: {"host": "db", "dbname": "mark_1"}, target),
    ):
        pytest.fail("it was made")
    with drivers._attempt(lambda: {"host": "/run/server"}, target):
        pass
    assert len(target.refusals()) == 1


@pytest.mark.parametrize("embedded", [EMBEDDED, {}])
@pytest.mark.parametrize(
    ("parameters", "refused"),
    [
        ({"dbname": "mark_1"}, ""),
        ({"dbname": "postgres"}, ""),
        ({"dbname": "production"}, "production"),
        ({"database": "production"}, "production"),
        ({"user": "app"}, "app"),
    ],
)
def test_a_connection_that_fails_is_refused_where_the_database_is_not_the_runs(
    target: Target, embedded: dict[str, str], parameters: dict[str, str], refused: str
) -> None:
    target.embedded = embedded
    expected = RefusedDatabase if refused else ConnectionError
    with (
        target.allow_unmarked("postgres"),
        pytest.raises(expected),
        drivers._attempt(lambda: {"host": "/run/server", **parameters}, target),
    ):
        raise ConnectionError
    assert target.refusals() == ([f"the PostgreSQL database {refused!r}"] if refused else [])
