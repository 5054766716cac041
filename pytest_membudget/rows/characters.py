"""Letters and digits replaced by others of the same kind, and bytes by random ones.

What stands in the place of a character does not depend on which one of its kind it was, so nothing
of it is left but the kind.
"""

from __future__ import annotations

import re
import secrets
import string
import unicodedata
import zlib
from functools import cache

_HEX = re.compile(r"[0-9a-f][0-9a-f:.\-]{6,}|[0-9A-F][0-9A-F:.\-]{6,}")
# Which of them a link has is no secret, and code looks at it.
_SCHEME = re.compile(r"(?:https?|ftps?|s3|gs|file)://")
_ASCII = 0x80
_TWO_BYTES = 0x800


def masked_characters(text: str, *, hexadecimal: bool = False) -> str:
    """As long, in characters and in UTF-8.  Punctuation stays unless there is nothing else, and so
    does white space.
    """
    if scheme := _SCHEME.match(text):
        return scheme[0] + masked_characters(text[scheme.end() :])
    hexadecimal = hexadecimal or bool(_HEX.fullmatch(text))
    bare = not any(one.isalnum() for one in text)
    random = secrets.token_bytes(2 * len(text))
    result = []
    for place, one in enumerate(text):
        among = _alternatives(one, hexadecimal, bare)
        number = random[2 * place] << 8 | random[2 * place + 1]
        result.append(among[number % len(among)])
    return "".join(result)


@cache
def _alternatives(one: str, hexadecimal: bool, bare: bool) -> str:
    if one.isspace():
        return one
    if ord(one) < _ASCII:
        if one in string.digits:
            return string.digits
        if one in string.ascii_letters:
            letters = "abcdef" if hexadecimal else string.ascii_lowercase
            return letters if one.islower() else letters.upper()
        return string.punctuation if bare and one in string.punctuation else one
    category = unicodedata.category(one)
    if category[0] not in "LNSMP" or (category[0] == "P" and not bare):
        return one
    # Neighbours take as many bytes, and are of the same alphabet.
    size = 128 if ord(one) < _TWO_BYTES else 1024
    first = max(_ASCII, ord(one) // size * size)
    neighbours = map(chr, range(first, ord(one) // size * size + size))
    found = [other for other in neighbours if unicodedata.category(other) == category]
    return "".join(found) if len(found) > 1 else "\u00a4"


def masked_bytes(value: bytes) -> bytes:
    """Random ones, repeated so that they compress about as well."""
    size = len(zlib.compress(value, 1))
    block = secrets.token_bytes(max(1, min(size, len(value))))
    return (block * (len(value) // len(block) + 1))[: len(value)]
