"""Which values and keys may stay in clear: those of enumerations, and of many documents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T", bound=Hashable)

SEVERAL = 5
"""In so many rows a value of an enumeration occurs at least, and a key in so many documents."""
_PARTS, _IN_PARTS = 12, 3
"""Of so many parts of the rows, in the order of their keys, it occurs in so many at least: what
occurs in one only may be the doing of one person."""
_VALUES = 30
_SHARE = 0.8
"""So many values, at most, are what at least this share of the rows of an enumeration have."""
_LARGE = 10_000

# Words of the names of columns and keys whose values tell of a person, or open something.
_WORDS = """
    account addr address author bearer bic bio birth birthdate birthday born card cell city comment
    contact cookie coordinates credential credentials customer cvc cvv dob domain driver email
    employee fax file filename firstname fullname geo hash host hostname iban ip key lastname lat
    latitude license lng login lon longitude mail member message mobile name nickname nonce note
    notes nric otp owner pass passcode passport passwd password patient phone pin plate postal
    postcode pwd recipient salt secret secrets sender serial session signature ssn street subject
    surname tax tel telephone token tokens uri url user username vat zip zipcode
"""
_BIRTH = {"born", "dob"}
_PERSONAL = frozenset(_WORDS.split())
# Those that are found within a word as well, "useremail".
_ANYWHERE = re.compile(
    "email|phone|passw|passphrase|secret|token|address|surname|lastname|firstname|username|"
    "fullname|birth|apikey|iban|cookie|credential",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# No digits of a number that is about something, no address, and not two words of a name.
_CODE = re.compile(r"(?!.*\d{4})(?!.*[A-Z]\w*\s+[A-Z])[\w./:+ -]{1,32}")
_KEY = re.compile(r"(?!.*\d{4})[@$_A-Za-z][\w.$:-]{0,39}")
_HEXADECIMAL = re.compile(r"(?=.*\d)(?=.*[a-fA-F])[0-9a-fA-F-]{8,}")


def is_personal(name: str) -> bool:
    """Whether values of a column or key with this name are masked even where they are frequent."""
    words = {word.lower() for word in _WORD.findall(name)}
    return bool(words & _PERSONAL or _ANYWHERE.search(name))


def is_of_birth(name: str) -> bool:
    """Whether a date with this name is that of a birth."""
    return bool({word.lower() for word in _WORD.findall(name)} & _BIRTH) or "birth" in name.lower()


def counted(places: Mapping[T, Sequence[int]], rows: int) -> Counter[T]:
    """In how many of so many ``rows`` each one is, of which the ``places`` are known; as if in none
    several where it is all in the same parts of the table.
    """
    parts = {one: {place * _PARTS // rows for place in its} for one, its in places.items()}
    return Counter(
        {
            one: len(its) if len(parts[one]) >= _IN_PARTS else min(len(its), SEVERAL - 1)
            for one, its in places.items()
        }
    )


def clear_values(
    counts: Counter[Hashable], name: str, choices: Collection[Any] = (), rows: int = 0
) -> frozenset[Hashable]:
    """The values of an enumeration that stay.  ``counts`` says in how many rows each one is, of so
    many ``rows`` that have one.

    ``choices`` are those that the project's code names: they need not be frequent, but no value
    stays that occurs once.
    """
    named = {value for value, count in counts.items() if count > 1 and value in choices}
    if is_personal(name):
        return frozenset(named)
    frequent = {value for value, count in counts.items() if count >= SEVERAL and _is_code(value)}
    found = named | frequent
    covered = sum(counts[value] for value in found)
    few = len(found) <= _VALUES and covered >= _SHARE * (rows or counts.total())
    return frozenset(found if few else named)


def clear_keys(counts: Counter[str]) -> frozenset[str]:
    """The keys of documents that stay.  ``counts`` says in how many documents each one is."""
    return frozenset(
        key
        for key, count in counts.items()
        if count >= SEVERAL and _KEY.fullmatch(key) and not _HEXADECIMAL.fullmatch(key)
    )


def _is_code(value: Hashable) -> bool:
    if isinstance(value, str):
        return bool(_CODE.fullmatch(value)) and not _HEXADECIMAL.fullmatch(value)
    return isinstance(value, int | float) and abs(value) < _LARGE
