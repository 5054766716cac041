"""Values masked in kind and length.

Equal values have equal masks within one file, so that duplicates, references and joins by a text
stay; which mask a value has is chance, and is remembered by the :class:`Masks` alone.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Hashable
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from pytest_membudget.rows.characters import masked_bytes, masked_characters
from pytest_membudget.rows.forms import (
    CLOCK,
    padded,
    read_address,
    read_moment,
    read_uuid,
    same_precision,
    zone,
)

T = TypeVar("T", bound=Hashable)

_TRIES = 40
_DAY = 24 * 60 * 60 * 10**6
_MICROSECOND = dt.timedelta(microseconds=1)
_HALF_YEAR = 180
_WEEK = 6
# An octet of as many digits.
_OCTETS: dict[int, Callable[[], str]] = {
    1: lambda: str(secrets.randbelow(10)),
    2: lambda: str(10 + secrets.randbelow(90)),
    3: lambda: str(100 + secrets.randbelow(156)),
}


class Masks:
    """The masks of the values of one file."""

    def __init__(self) -> None:
        self._masks: dict[tuple[Any, ...], Any] = {}
        self._taken: set[tuple[Any, ...]] = set()
        chance = secrets.SystemRandom()
        # Times of a day, in the same order: how the clock of the file goes from hour to hour.
        self._hours = [0, *sorted(chance.sample(range(1, _DAY), 23)), _DAY]
        self._days = dt.timedelta(days=chance.choice([-1, 1]) * chance.randint(1, _WEEK))

    def text(self, value: str) -> str:
        """What reads as a UUID, an address, a date or a time still does."""
        if not value.strip():
            return value
        forms: tuple[tuple[Callable[[str], Any], Callable[[str, Any], str]], ...] = (
            (read_uuid, self._uuid_text),
            (read_address, self._address_text),
            (read_moment, self._moment_text),
        )
        for read, write in forms:
            if (found := read(value)) is not None:
                return write(value, found)
        return self._once("text", value, lambda: masked_characters(value))

    def number(self, value: int) -> int:
        """One of as many digits, with the same sign; 0 is 0.

        It is not above the value where that could be the largest that its column can hold.
        """
        if not value:
            return 0
        size = abs(value)
        least = 10 ** (len(str(size)) - 1)
        most = max(size, 2 * least - 1) if size > 9 else 9
        mask = self._once("number", size, lambda: least + secrets.randbelow(most - least + 1))
        return mask if value > 0 else -mask

    def decimal(self, value: Decimal) -> Decimal:
        if not value.is_finite():
            return value
        sign, digits, exponent = value.as_tuple()
        number = int("".join(map(str, digits)))
        return Decimal((sign, Decimal(self.number(number)).as_tuple().digits, int(exponent)))

    def float(self, value: float) -> float:
        return float(self.decimal(Decimal(repr(value))))

    def uuid(self, value: UUID) -> UUID:
        """Of the same version."""
        kept = 0xF << 76 | 0x3 << 62

        def make() -> UUID:
            return UUID(int=secrets.randbits(128) & ~kept | value.int & kept)

        return self._once("uuid", value, make)

    def moment(self, value: dt.datetime) -> dt.datetime:
        """At another time of the same day.  Later ones stay later."""
        if value.time() == dt.time():
            return value + self._days if _fits(value) else value
        return dt.datetime.combine(value.date(), self.clock(value.timetz()))

    def date(self, value: dt.date) -> dt.date:
        """Some days away, all dates of a file by as many: later ones stay later."""
        return value + self._days if _fits(value) else value

    def birthday(self, value: dt.date) -> dt.date:
        """Within half a year, each by days of its own."""
        if not _fits(value):
            return value

        def make() -> dt.date:
            return value + dt.timedelta(days=secrets.randbelow(2 * _HALF_YEAR + 1) - _HALF_YEAR)

        return self._once("birthday", value, make)

    def clock(self, value: dt.time) -> dt.time:
        whole = dt.timedelta(
            hours=value.hour,
            minutes=value.minute,
            seconds=value.second,
            microseconds=value.microsecond,
        )
        hour, rest = divmod(whole // _MICROSECOND, _DAY // 24)
        first, last = self._hours[hour], self._hours[hour + 1]
        found = first + rest * (last - first) * 24 // _DAY
        if not value.microsecond:
            found -= found % 10**6  # code that compares seconds finds no parts of them
        moment = dt.datetime.min + dt.timedelta(microseconds=found)
        return moment.time().replace(tzinfo=value.tzinfo, fold=value.fold)

    def duration(self, value: dt.timedelta) -> dt.timedelta:
        return dt.timedelta(microseconds=self.number(value // _MICROSECOND))

    def binary(self, value: bytes) -> bytes:
        return self._once("bytes", value, lambda: masked_bytes(value)) if value else value

    def _once(self, kind: Any, value: T, make: Callable[[], T]) -> T:
        """The mask of a value: another one, and no other's where there are enough."""
        if (kind, value) not in self._masks:
            mask = value
            for _ in range(_TRIES):
                if (made := make()) != value:
                    mask = made
                    if (kind, mask) not in self._taken:
                        break
            self._taken.add((kind, mask))
            self._masks[kind, value] = mask
        found: T = self._masks[kind, value]
        return found

    def _uuid_text(self, text: str, value: UUID) -> str:
        mask = self.uuid(value)
        written = str(mask) if "-" in text else mask.hex
        return written.upper() if text.upper() == text and text.lower() != text else written

    def _address_text(self, text: str, value: str) -> str:
        address, slash, network = value.partition("/")

        def make() -> str:
            if ":" in address:
                return masked_characters(address, hexadecimal=True)
            return ".".join(_OCTETS[len(part)]() for part in address.split("."))

        return self._once("address", address, make) + slash + network

    def _moment_text(self, text: str, value: str) -> str:
        if CLOCK.fullmatch(text):
            return same_precision(text, self.clock(dt.time.fromisoformat(padded(text))))
        day, (time, offset) = text[:10], zone(text[11:])
        if not time:
            return self.date(dt.date.fromisoformat(day)).isoformat()
        moment = self.moment(dt.datetime.fromisoformat(f"{day} {padded(time)}"))
        return f"{moment.date()}{text[10]}{same_precision(time, moment.time())}{offset}"


def _fits(value: dt.date) -> bool:
    return dt.date.min.year < value.year < dt.date.max.year
