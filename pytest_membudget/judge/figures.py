"""The figures of a result, with what a file that is read may hold."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pytest_membudget.units import LONGEST, MOST

Bytes = Annotated[int, Meta(ge=0, le=MOST)]
Limit = Annotated[int, Meta(ge=1, le=MOST)]
Rows = Annotated[int, Meta(ge=0, le=MOST)]
Difference = Annotated[int, Meta(ge=-MOST, le=MOST)]
Figure = Annotated[float, Meta(ge=0, le=MOST)]
# A projected time may be far longer than a check may take.
MOST_SECONDS = 1e6 * LONGEST
Seconds = Annotated[float, Meta(ge=0, le=MOST_SECONDS)]
MOST_SHARE = 1e6
Share = Annotated[float, Meta(ge=-MOST_SHARE, le=MOST_SHARE)]
LineNumber = Annotated[int, Meta(ge=0, le=2**31 - 1)]
