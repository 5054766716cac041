"""Bytes, UUIDs and network addresses."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from ipaddress import ip_address
from random import Random
from uuid import UUID

from django.db import models

from pytest_membudget.seeding.fields.base import (
    HUGE,
    FieldKind,
    SizedValues,
    WantedValues,
    register,
)
from pytest_membudget.seeding.sequences import Formula, Numbering

_IPV6 = 0x20010DB8 << 96
"""The prefix for documentation, 2001:db8::/32."""


@register(models.BinaryField)
class Binary(FieldKind):
    def plausible(self, rng: Random) -> bytes:
        return bytes(rng.randbytes(min(self.field.max_length or 128, 128)))

    def numbering(self) -> Numbering:
        width = min(self.field.max_length or 8, 8)
        return Numbering(256**width - 1, lambda n: n.to_bytes(width, "big"))

    def sized(self, rng: Random) -> SizedValues:
        return SizedValues(
            lambda size, _: rng.randbytes(size),
            exact=True,
            most=self.field.max_length or float("inf"),
        )


@register(models.UUIDField)
class Uuid(FieldKind):
    unique_rank = 0

    def plausible(self, rng: Random) -> UUID:
        return UUID(int=rng.getrandbits(128), version=4)

    def numbering(self) -> Numbering:
        return Numbering(HUGE, lambda n: UUID(int=n, version=4))

    def formulas(self, wanted: WantedValues) -> Iterator[Formula]:
        name = f"{self.field.model._meta.label}.{self.field.name}"
        prefix = UUID(int=zlib.crc32(name.encode()) << 96, version=4).hex[:20]
        write = self.dialect.uuid.format
        yield Formula(1 << 44, lambda n: write(prefix, f"({n} + {wanted.after})"))


@register(models.GenericIPAddressField)
class IPAddress(FieldKind):
    def addresses(self) -> tuple[int, int]:
        """The first one, and how many there are."""
        is_ipv6 = self.field.protocol.lower() == "ipv6"
        return (_IPV6, 1 << 64) if is_ipv6 else (1 << 24, 255 << 24)

    def plausible(self, rng: Random) -> str:
        first, count = self.addresses()
        return str(ip_address(first + rng.randrange(count)))

    def numbering(self) -> Numbering:
        first, count = self.addresses()
        return Numbering(min(count, HUGE) - 1, lambda n: str(ip_address(first + n)))
