"""Texts that read as a UUID, an address of a network, a date or a time."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import re
from uuid import UUID

_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)?)?")
CLOCK = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?")


def read_uuid(text: str) -> UUID | None:
    return UUID(text) if _UUID.fullmatch(text) else None


def read_address(text: str) -> str | None:
    if any(mark in text for mark in ".:"):
        with contextlib.suppress(ValueError):
            ipaddress.ip_interface(text)
            return text
    return None


def read_moment(text: str) -> str | None:
    """An ISO date, with or without a time, or a time."""
    with contextlib.suppress(ValueError):
        if CLOCK.fullmatch(text):
            dt.time.fromisoformat(padded(text))
            return text
        if _MOMENT.fullmatch(text):
            time, _ = zone(text[11:])
            dt.datetime.fromisoformat(f"{text[:10]} {padded(time or '00:00')}")
            return text
    return None


def zone(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.*?)(Z|[+-][\d:]+)?", text)
    return (match[1], match[2] or "") if match else (text, "")


def padded(time: str) -> str:
    """Before Python 3.11 a part of a second has three or six digits."""
    whole, dot, part = time.partition(".")
    return whole + dot + (part.ljust(6, "0") if dot else "")


def same_precision(text: str, time: dt.time) -> str:
    """Written with as many digits."""
    full = time.isoformat("microseconds")
    return full[: len(text)]
