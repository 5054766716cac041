"""Databases on a MariaDB server, and the user whose rights end with them."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pymysql
import pytest
import servers
from leftovers import databases, eventually

from pytest_membudget.errors import ServerError
from pytest_membudget.processes.messages.orders import Clone, EndSessions, Prepare
from pytest_membudget.processes.server.client import ServerClient

pytestmark = pytest.mark.mariadb

SETTINGS = """
import pymysql
pymysql.install_as_MySQLdb()
SECRET_KEY = "x"
INSTALLED_APPS = []
DATABASES = {"default": %r}
"""
PRODUCTION = """
CREATE DATABASE production CHARACTER SET latin1 COLLATE latin1_german1_ci;
CREATE TABLE production.thing (id int);
INSERT INTO production.thing VALUES (1);
CREATE DATABASE membudgetXproduction
"""
OF_PRODUCTION = "SELECT (SELECT count(*) FROM production.thing), count(*) FROM mysql.user"


@pytest.fixture
def server(mariadb: servers.MariaDB) -> Iterator[servers.MariaDB]:
    mariadb.query(PRODUCTION)
    yield mariadb
    mariadb.query("DROP DATABASE production;\nDROP DATABASE membudgetXproduction")


def write_settings(folder: Path, database: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "settings_of_scratch.py").write_text(SETTINGS % (database,))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "settings_of_scratch")


@pytest.fixture
def client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: servers.MariaDB
) -> Iterator[ServerClient]:
    write_settings(tmp_path, server.database("production"), monkeypatch)
    client = ServerClient("default")
    yield client
    client.close()
    assert list(client.leftovers()) == []
    assert databases(server) == []


def of_run(client: ServerClient) -> dict[str, str]:
    """Who a session of the run is."""
    return {"user": client.greeting.mark, "password": client.greeting.password}


FOREIGN = (
    "USE production",
    "SELECT * FROM production.thing",
    "INSERT INTO production.thing VALUES (2)",
    "UPDATE production.thing SET id = 3",
    "DELETE FROM production.thing",
    "TRUNCATE production.thing",
    "DROP TABLE production.thing",
    "CREATE TABLE production.more (id int)",
    "ALTER TABLE production.thing ADD more int",
    "RENAME TABLE production.thing TO thing",
    "CREATE TABLE copy SELECT * FROM production.thing",
    "CREATE VIEW seen AS SELECT * FROM production.thing",
    "CREATE TRIGGER late BEFORE INSERT ON production.thing FOR EACH ROW SET NEW.id = 0",
    "EXECUTE IMMEDIATE concat('DELETE FROM produc', 'tion.thing')",
    "DROP DATABASE production",
    "DROP DATABASE membudgetXproduction",
    "CREATE DATABASE another",
    "CREATE USER another",
    "GRANT ALL ON *.* TO current_user()",
    "UPDATE mysql.user SET password = ''",
    "SET GLOBAL max_connections = 1",
    "SELECT 1 INTO OUTFILE '/tmp/membudget_outfile'",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE production.thing",
    "FLUSH TABLES",
    "SHUTDOWN",
)


def test_the_user_of_a_run_reaches_nothing_else(
    client: ServerClient, server: servers.MariaDB
) -> None:
    name, before = client.call(Prepare([], [])).name, server.query(OF_PRODUCTION)
    with server.connect(name, **of_run(client)) as session, session.cursor() as cursor:
        cursor.execute("CREATE TABLE own (id int)")
        for statement in FOREIGN:
            with pytest.raises(pymysql.err.MySQLError) as raised:
                cursor.execute(statement)
            assert raised.value.args[0] in (1044, 1045, 1142, 1227, 1370, 1410), statement
            assert server.query(OF_PRODUCTION) == before, statement


SCHEMA = """
CREATE TABLE parent (
    id bigint AUTO_INCREMENT PRIMARY KEY, child_id int UNSIGNED, code varchar(20) UNIQUE,
    size int CHECK (size > 0), doubled int AS (size * 2) STORED, halved int AS (size DIV 2),
    document json, at datetime(6) DEFAULT now(6) ON UPDATE now(6), free text COMMENT 'it''s',
    KEY by_size (size, code)
);
CREATE TABLE child (
    id int UNSIGNED PRIMARY KEY, parent_id bigint,
    CONSTRAINT of_parent FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE
);
ALTER TABLE parent ADD CONSTRAINT of_child FOREIGN KEY (child_id) REFERENCES child (id);
INSERT INTO child VALUES (1, NULL);
INSERT INTO parent (id, child_id, code, size, document) VALUES (0, 1, 'a', 4, '{"a": 1}');
INSERT INTO parent (child_id, code, size) VALUES (1, 'b', 5), (NULL, 'c', 6);
UPDATE child SET parent_id = 1;
CREATE TABLE `odd ``name``` (`a column` int);
CREATE VIEW b_view AS SELECT id, size FROM parent;
CREATE VIEW a_view AS SELECT * FROM b_view WHERE size > 4;
CREATE TRIGGER grow BEFORE INSERT ON parent FOR EACH ROW SET NEW.size = NEW.size + 1;
CREATE PROCEDURE work () DELETE FROM child;
CREATE FUNCTION answer () RETURNS int DETERMINISTIC RETURN 42
"""


def described(server: servers.MariaDB, name: str) -> Any:
    """All that makes a database what it is."""
    found: dict[str, Any] = {}
    for table, _ in server.query("SHOW FULL TABLES", name):
        escaped = table.replace("`", "``")
        [created] = server.query(f"SHOW CREATE TABLE `{escaped}`", name)
        found[table] = created[1], server.query(f"SELECT * FROM `{escaped}`", name)
    of_it = f"WHERE db = '{name}'"
    for kind in ("TRIGGERS", f"PROCEDURE STATUS {of_it}", f"FUNCTION STATUS {of_it}"):
        found[kind.split()[0]] = [row[1:4] for row in server.query(f"SHOW {kind}", name)]
    return json.loads(json.dumps(found, default=str).replace(name, "…"))


def test_a_clone_has_all_of_it(client: ServerClient, server: servers.MariaDB) -> None:
    source = client.call(Prepare([], [])).name
    server.query(SCHEMA, source, **of_run(client))
    found = described(server, client.call(Clone(source)))
    assert found == described(server, source)
    assert len(found["parent"][1]) == 3
    assert [row[0] for row in found["TRIGGERS"]] == ["INSERT"]


def test_databases_have_the_characters_of_production(
    client: ServerClient, server: servers.MariaDB
) -> None:
    name = client.call(Clone(client.call(Prepare([], [])).name))
    query = "SELECT @@character_set_database, @@collation_database"
    assert server.query(query, name) == [("latin1", "latin1_german1_ci")]


def test_what_a_process_has_left_on_the_server_is_ended(
    client: ServerClient, server: servers.MariaDB
) -> None:
    name, ended = client.call(Prepare([], [])).name, []

    def sleep() -> None:
        with suppress(pymysql.err.MySQLError):
            server.query("SELECT sleep(1000)", name, **of_run(client))
        ended.append(True)

    thread = threading.Thread(target=sleep)
    thread.start()
    query = f"SELECT 1 FROM information_schema.processlist WHERE db = '{name}' AND time_ms > 0"
    assert eventually(lambda: server.query(query) == [(1,)])
    begin = time.monotonic()
    assert client.call(EndSessions(name))
    assert time.monotonic() - begin < 3
    thread.join(10)
    assert ended == [True]


def test_an_open_transaction_does_not_keep_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: servers.MariaDB
) -> None:
    """A statement that defines or drops waits for the end of each that has read the table."""
    write_settings(tmp_path, server.database("production"), monkeypatch)
    client = ServerClient("default")
    name = client.call(Prepare([], [])).name
    session = server.connect(name, **of_run(client), autocommit=False)
    with session.cursor() as cursor:
        cursor.execute("CREATE TABLE own (id int)")
        cursor.execute("SELECT * FROM own")
    begin = time.monotonic()
    client.close()
    assert databases(server) == []
    assert time.monotonic() - begin < 5


def killed(client: ServerClient) -> list[str]:
    """Kill all processes of a run; its databases and users are left."""
    server = client._process  # the supervisor, which would clean up
    for pid in (server.pid, *map(int, children_of(server.pid))):
        os.kill(pid, signal.SIGKILL)
    server.wait()
    client.leave()
    return [client.greeting.mark]


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_what_a_killed_run_has_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: servers.MariaDB
) -> None:
    write_settings(tmp_path, server.database("production"), monkeypatch)
    client = ServerClient("default")
    client.call(Prepare([], []))
    killed(client)
    assert len(databases(server)) >= 3
    foreign = ["membudget_000000000000_1", "membudget_000000000001_1", "membudget_sales"]
    comments = ["", f'{{"run": "{client.greeting.mark}"}}', "not ours"]
    for name, comment in zip(foreign, comments, strict=True):
        server.query(f"CREATE DATABASE {name} COMMENT '{comment}'")
    server.query("CREATE USER membudget_000000000000")
    try:
        other = ServerClient("default")
        alive = other.greeting.mark
        third = ServerClient("default")
        assert any(alive in name for name in databases(server))
        for one in (third, other):
            one.close()
        assert sorted(databases(server)) == sorted([*foreign, "membudget_000000000000@%"])
    finally:
        server.query("DROP USER membudget_000000000000")
        for name in foreign:
            server.query(f"DROP DATABASE {name}")


LIMITED = r"""
CREATE USER limited IDENTIFIED BY 'secret';
GRANT SELECT ON production.* TO limited;
GRANT ALL PRIVILEGES ON `membudget\_%`.* TO limited WITH GRANT OPTION;
GRANT CREATE USER ON *.* TO limited
"""


@pytest.mark.parametrize("lacks", ["", "CREATE USER", "GRANT OPTION", "databases"])
def test_what_the_role_of_the_tests_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: servers.MariaDB, lacks: str
) -> None:
    sql = LIMITED.replace("WITH GRANT OPTION" if lacks == "GRANT OPTION" else "-", "")
    lines = [
        line
        for line in sql.split(";\n")
        if not (lacks == "CREATE USER" and "GRANT CREATE" in line)
        and not (lacks == "databases" and "ALL PRIV" in line)
    ]
    server.query(";\n".join(lines))
    database = server.database("production", USER="limited", PASSWORD="secret")
    write_settings(tmp_path, database, monkeypatch)
    try:
        if not lacks:
            client = ServerClient("default")
            client.call(Clone(client.call(Prepare([], [])).name))
            client.close()
        else:
            with pytest.raises(ServerError, match="GRANT CREATE USER ON") as raised:
                ServerClient("default")
            assert "secret" not in str(raised.value)
        assert databases(server) == []
    finally:
        server.query("DROP USER limited")


@pytest.mark.parametrize(
    ("grant", "revoke"),
    [
        ("GRANT SELECT ON production.* TO PUBLIC", "REVOKE SELECT ON production.* FROM PUBLIC"),
        ("CREATE USER ''@'%';\nGRANT ALL ON `produc%`.* TO ''@'%'", "DROP USER ''@'%'"),
    ],
)
def test_a_server_where_each_user_reaches_production_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: servers.MariaDB,
    grant: str,
    revoke: str,
) -> None:
    write_settings(tmp_path, server.database("production"), monkeypatch)
    server.query(grant)
    try:
        with pytest.raises(ServerError, match="each user of the server may reach production"):
            ServerClient("default")
        assert databases(server) == []
    finally:
        server.query(revoke)


def test_mysql_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MariaDB can call itself so."""
    with servers.mariadb("--version=8.4.0") as server:
        write_settings(tmp_path, server.database("production"), monkeypatch)
        with pytest.raises(ServerError, match=r"is on MySQL 8.4.0, which membudget does not"):
            ServerClient("default")
        assert databases(server) == []
