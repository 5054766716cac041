"""The facts of each database engine, one object an engine.

The worker, which is measured, imports this module, so it imports only the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass

# Each scratch database on PostgreSQL has a schema of this name; its comment is the run's mark.
MARK_SCHEMA = "membudget_scratch"


@dataclass(frozen=True)
class Engine:
    """The facts of one engine; the defaults are those of an unknown engine.

    ``vendor`` is Django's name of it, ``label`` that of messages, ``sqlglot`` that of its dialect
    in sqlglot.  ``drivers`` are the modules that its sessions can be made with, all where empty.
    ``scratch`` is the module and the class that make its scratch databases, empty where none can
    be made.
    ``embedded``: the engine runs inside the process and uses its memory; each database is a file.
    ``server_processes`` is what the processes of its server are called, each of which has the name
    of its session's database in its title; empty where there are no such ones.  ``allowances`` are
    the settings that say how much memory a session takes to sort, or to build an index.
    ``client_library`` is what runs in the process; ``client_holds_results``: it holds the whole
    result of a cursor that has no name on the server, and knows its number of rows.
    ``streams``: ``QuerySet.iterator()`` fetches rows in chunks; where the client holds results,
    only with server-side cursors.
    ``locks_until_commit``: an altered table stays locked to readers until the transaction ends.
    ``longest_statement`` is the query for how many bytes a statement may have.
    ``limits_parameters``: the number of parameters in a statement is limited.
    ``marks_parameters``: ``?1`` and ``:name`` stand for parameters as well.
    ``folds_names``: names of tables are the same in upper and lower case.
    ``schemas`` are searched for a table that a statement names without a schema; ``search_path``
    is the query for those of a connection.  ``missing_tables`` is the query that tells for each
    name in its parameter whether there is no such table.  Both are empty without schemas.
    ``estimates_distinct``: the catalogue has the number of different values of a column.
    ``fingerprint`` is an aggregate of ``columns``, the same for the same rows in any order; empty
    where the client has to make it.
    ``drop`` is the statement that removes the database ``name``.
    ``identity`` is the query for the name and the mark of a connection's database, ``files`` the
    one for its files; a check opens no database of an engine that has neither.
    ``backslashes``: one in a text escapes what follows.
    ``streaming_cursor`` says how code opens a cursor whose rows the client does not hold.
    """

    vendor: str
    label: str = ""
    sqlglot: str = ""
    drivers: tuple[str, ...] = ()
    scratch: str = ""
    embedded: bool = False
    server_processes: str = ""
    allowances: tuple[str, ...] = ()
    client_library: str = ""
    client_holds_results: bool = False
    streams: bool = False
    locks_until_commit: bool = False
    longest_statement: str = ""
    limits_parameters: bool = False
    marks_parameters: bool = False
    folds_names: bool = False
    schemas: tuple[str, ...] = ()
    search_path: str = ""
    missing_tables: str = ""
    estimates_distinct: bool = False
    fingerprint: str = ""
    drop: str = ""
    identity: str = ""
    files: str = ""
    backslashes: bool = False
    streaming_cursor: str = ""


POSTGRESQL = Engine(
    vendor="postgresql",
    label="PostgreSQL",
    sqlglot="postgres",
    scratch="postgresql.PostgreSQLScratch",
    server_processes="postgres",
    allowances=("maintenance_work_mem", "work_mem"),
    client_library="libpq",
    client_holds_results=True,
    streams=True,
    locks_until_commit=True,
    schemas=("public",),
    search_path="SELECT current_schemas(false)::text[]",
    missing_tables="SELECT to_regclass(name) IS NULL FROM unnest(%s::text[]) name",
    estimates_distinct=True,
    fingerprint="sum(('x' || left(md5(ROW({columns})::text), 15))::bit(60)::bigint)",
    drop='DROP DATABASE "{name}" WITH (FORCE);',
    identity=(
        "SELECT pg_catalog.current_database(), pg_catalog.obj_description("
        f"pg_catalog.to_regnamespace('{MARK_SCHEMA}')::oid, 'pg_namespace')"
    ),
    streaming_cursor='a server-side cursor, connection.connection.cursor(name="rows")',
)
SQLITE = Engine(
    vendor="sqlite",
    label="SQLite",
    sqlglot="sqlite",
    scratch="sqlite.SQLiteScratch",
    embedded=True,
    client_library="SQLite",
    streams=True,
    limits_parameters=True,
    marks_parameters=True,
    folds_names=True,
    schemas=("main", "temp"),
    files="PRAGMA database_list",
)
# A session may reach any database of its server that its user has a right to, so each run has a
# user of its own, with rights to nothing but the run's databases: that is the mark of a session.
MARIADB = Engine(
    vendor="mysql",
    label="MariaDB",
    sqlglot="mysql",
    drivers=("MySQLdb", "pymysql"),
    scratch="mariadb.MariaDBScratch",
    client_library="the MySQL client",
    client_holds_results=True,
    longest_statement="SELECT @@max_allowed_packet",
    search_path="SELECT DATABASE()",
    drop="DROP DATABASE `{name}`;",
    identity="SELECT DATABASE(), SUBSTRING_INDEX(CURRENT_USER(), '@', 1)",
    backslashes=True,
    streaming_cursor=(
        "an unbuffered cursor, connection.connection.cursor(SSCursor) with the SSCursor of "
        "MySQLdb.cursors"
    ),
)
# The engines that scratch databases can be made for.
SUPPORTED = {engine.vendor: engine for engine in (SQLITE, POSTGRESQL, MARIADB)}


def engine_of(vendor: str) -> Engine:
    """The facts of the engine that Django calls ``vendor``."""
    return SUPPORTED.get(vendor) or Engine(vendor)
