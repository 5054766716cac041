"""Plausible words, and short texts that differ."""

from __future__ import annotations

import re
from random import Random

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"

# With these PostgreSQL compresses texts and documents as it compresses English ones.
_ONSETS = (*"bcdfghlmnprstvw", "br", "ch", "pl", "st", "tr")
_VOWELS = (*"aeiou", "ea", "ou")
_CODAS = ("", *"nrslt", "ck", "nd")


def _made_up(count: int) -> list[str]:
    """So many words of three letters or more, always the same ones."""
    rng = Random(1)
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = rng.choice((1, 2, 2))
        word = "".join(rng.choice(part) for part in (_ONSETS, _VOWELS, _CODAS) * syllables)
        if len(word) > 2:
            found[word] = None
    return list(found)


WORDS = _made_up(1000)

SHAPES = {
    "email": "*##@example.com",
    "first_name": "^",
    "last_name": "^",
    "user_name": "*###",
    "username": "*###",
    "phone": "+1-###-###-####",
    "country_code": "??",
    "country": "^land",
    "currency": "???",
    "city": "Port ^",
    "postcode": "#####",
    "zip": "#####",
    "street": "#### ^ Street ##",
    "address": "#### ^ Street, ^ #####",
    "company": "^ and ^",
    "url": "https://www.*.com/",
    "name": "^ ?. ^",
}
"""What stands in fields that have this in their name, see :func:`shaped`."""


def shaped(shape: str, rng: Random) -> str:
    """A text with a word for each ``*``, ``Word`` for ``^``, a digit for ``#``, ``X`` for ``?``."""
    made = {
        "*": lambda: rng.choice(WORDS),
        "^": lambda: rng.choice(WORDS).title(),
        "#": lambda: rng.choice(LETTERS[:10]),
        "?": lambda: rng.choice(LETTERS[10:]).upper(),
    }
    return re.sub(r"[*^#?]", lambda match: made[match[0]](), shape)


def words(size: int, rng: Random, between: str = " ") -> str:
    """So many characters of words; the last one is cut off."""
    # No word is shorter than three letters.
    text = between.join(rng.choices(WORDS, k=size // 4 + 1))[:size]
    return f"{text[:-1]}s" if text.endswith(between) else text


def short_text(number: int, length: int) -> str:
    found = ""
    for _ in range(length):
        number, digit = divmod(number, len(LETTERS))
        found = LETTERS[digit] + found
    return found
