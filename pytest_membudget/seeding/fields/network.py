"""Network addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from random import Random

from django.db import models

from pytest_membudget.seeding.fields.base import HUGE, FieldKind, register
from pytest_membudget.seeding.sequences import Numbering

_IPV6 = 0x20010DB8 << 96
"""The prefix for documentation, 2001:db8::/32."""


@register(models.GenericIPAddressField)
class IPAddress(FieldKind):
    @property
    def is_ipv6(self) -> bool:
        return bool(self.field.protocol.lower() == "ipv6")

    def plausible(self, rng: Random) -> str:
        if self.is_ipv6:
            return str(IPv6Address(_IPV6 | rng.getrandbits(64)))
        return str(IPv4Address(rng.randint(1 << 24, (1 << 32) - 1)))

    def numbering(self) -> Numbering:
        if self.is_ipv6:
            return Numbering(HUGE, lambda n: str(IPv6Address(_IPV6 + n)))
        return Numbering((255 << 24) - 1, lambda n: str(IPv4Address((1 << 24) + n)))
