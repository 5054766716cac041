"""The receivers of ``pre_migrate`` and ``post_migrate``, which every ``manage.py migrate`` runs.

Those of the project use the models of today.  A deploy runs them when all of its migrations are
applied, a check in the state of one of them, where their tables may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import ReferenceType

from django.db.models.signals import post_migrate, pre_migrate

SIGNALS = (pre_migrate, post_migrate)


def receivers() -> list[Any]:
    """The functions that are connected to one of the signals."""
    return [receiver_of(entry) for signal in SIGNALS for entry in signal.receivers]


def is_of_django(receiver: Any) -> bool:
    return str(getattr(receiver, "__module__", "")).startswith("django.")


@contextmanager
def only_of_django() -> Iterator[None]:
    """Leave out all others, as while a state is built that no deploy ends with."""
    before = [signal.receivers for signal in SIGNALS]
    for signal in SIGNALS:
        signal.receivers = [one for one in signal.receivers if is_of_django(receiver_of(one))]
    try:
        yield
    finally:
        for signal, connected in zip(SIGNALS, before, strict=True):
            signal.receivers = connected


def receiver_of(entry: Any) -> Any:
    """The function of an entry of a signal; None where it is gone."""
    receiver = entry[1]
    return receiver() if isinstance(receiver, ReferenceType) else receiver
