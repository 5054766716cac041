"""Everything that is done to scratch databases, one method an order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db.migrations.state import StateApps

from pytest_membudget.database.error_text import message, traceback_of
from pytest_membudget.database.fingerprint import digest
from pytest_membudget.database.scratch.activity import Activity
from pytest_membudget.database.scratch.base import ScratchDatabases
from pytest_membudget.errors import ServerError
from pytest_membudget.processes.messages import orders
from pytest_membudget.processes.messages.server import Greeting, Start
from pytest_membudget.processes.server.seeds import Seeds
from pytest_membudget.processes.server.state_cache import StateCache
from pytest_membudget.processes.server.state_tables import state_tables, uniques
from pytest_membudget.processes.server.states import Templates
from pytest_membudget.project.graph import Key, history_with
from pytest_membudget.project.secrets import known_secrets


class DatabaseServer:
    """Carries out the orders on one alias; ``empty`` is the name of an empty scratch database.

    ``tell`` is called with each migration that is applied to build a state; ``cache`` has those of
    other runs, where any are kept of the engine.
    """

    def __init__(
        self,
        scratch: ScratchDatabases,
        empty: str,
        tell: Callable[[str], None],
        cache: StateCache | None,
    ) -> None:
        self._scratch = scratch
        self._connection = scratch.connection
        self._templates = Templates(scratch, empty, tell, cache)
        self._apps: tuple[tuple[Key, ...], StateApps] | None = None
        self._seeds = Seeds(scratch)
        self._methods: Mapping[type[Any], Callable[[Any], Any]] = {
            Start: self.start,
            orders.Prepare: self.prepare,
            orders.Weigh: self.weigh,
            orders.ListTables: self.list_tables,
            orders.Count: self.count,
            orders.Seed: self.seed,
            orders.FindColumns: self.find_columns,
            orders.Clone: self.clone,
            orders.Take: self.take,
            orders.EndSessions: self.end_sessions,
            orders.ReadActivity: self.read_activity,
            orders.Fingerprint: self.fingerprint,
            orders.ListRefusals: self.list_refusals,
            orders.Drop: self.drop,
        }

    def answer(self, order: orders.Order[orders.A]) -> orders.A:
        answer: orders.A = self._methods[type(order)](order)
        return answer

    def start(self, order: Start) -> Greeting:
        version = ".".join(map(str, self._connection.get_database_version()))
        self._scratch.release()
        return Greeting(
            folder=str(self._scratch.folder),
            mark=self._scratch.target.mark,
            password=self._scratch.target.password,
            vendor=self._connection.vendor,
            version=version,
            secrets=sorted(known_secrets().values),
            waits_for_disk=self._scratch.waits_for_disk(),
        )

    def prepare(self, order: orders.Prepare) -> orders.Prepared:
        with _building():
            name = self._scratch.clone(self._templates.get(order.applied))
        apps = self._state_apps(order.applied)
        models = {label: apps.get_model(label) for label in order.labels}
        return orders.Prepared(
            name=name,
            tables={label: model._meta.db_table for label, model in models.items()},
            uniques={model._meta.db_table: uniques(model) for model in models.values()},
        )

    def weigh(self, order: orders.Weigh) -> orders.MigrationWeight | None:
        keys, marks = set(order.migrations), self._templates.marks.of
        if not keys or not keys <= marks.keys():
            with _building():
                self._templates.get(order.applied, keys)
        if not keys <= marks.keys():
            return None
        return orders.MigrationWeight(
            grown=sum(marks[key][0] for key in keys),
            risen=max((marks[key][1] for key in keys), default=0),
            models=self._templates.models,
        )

    def list_tables(self, order: orders.ListTables) -> orders.StateTables:
        with _building():
            name = self._templates.get(order.applied)
        with self._scratch.using(name):
            return state_tables(self._connection, self._state_apps(order.applied))

    def count(self, order: orders.Count) -> dict[str, int]:
        quote = self._connection.ops.quote_name
        found = {}
        with self._scratch.using(order.name), self._connection.cursor() as cursor:
            for table in order.tables:
                cursor.execute(f"SELECT COUNT(*) FROM {quote(table)}")
                found[table] = cursor.fetchone()[0]
        return found

    def seed(self, order: orders.Seed) -> orders.Seeded:
        apps = self._state_apps(order.applied)
        with self._scratch.using(order.name):
            return self._seeds.fill(order, apps)

    def find_columns(self, order: orders.FindColumns) -> list[tuple[str, str]]:
        with self._scratch.using(order.name):
            return self._seeds.holding(order.name, order.value)

    def clone(self, order: orders.Clone) -> str:
        return self._scratch.clone(order.name)

    def take(self, order: orders.Take) -> orders.Taken:
        return orders.Taken(*self._scratch.take(order.name))

    def end_sessions(self, order: orders.EndSessions) -> bool:
        return self._scratch.end_sessions(order.name)

    def read_activity(self, order: orders.ReadActivity) -> Activity | None:
        return self._scratch.activity(order.name)

    def fingerprint(self, order: orders.Fingerprint) -> dict[str, dict[str, str]]:
        with self._scratch.using(order.name):
            return digest(self._connection)

    def list_refusals(self, order: orders.ListRefusals) -> list[str]:
        return self._scratch.target.refusals()

    def drop(self, order: orders.Drop) -> None:
        self._seeds.forget(order.name)
        self._scratch.drop(order.name)

    def _state_apps(self, keys: list[Key]) -> StateApps:
        wanted = tuple(keys)
        if self._apps is None or self._apps[0] != wanted:
            self._apps = (wanted, history_with(keys).state(keys).apps)
        return self._apps[1]


@contextmanager
def _building() -> Iterator[None]:
    """Raise ServerError for any error of a migration, a receiver or the database."""
    try:
        yield
    except ServerError:
        raise
    except Exception as error:
        raise ServerError(
            "the state before the migration could not be built: "
            f"{type(error).__name__}: {message(error)}",
            traceback_of(error),
        ) from error
