"""What masks leave of a value: its kind and length, and that equal ones are equal."""

from __future__ import annotations

import datetime as dt
import ipaddress
import string
import zlib
from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_membudget.rows.clear import SEVERAL, clear_keys, clear_values, is_personal
from pytest_membudget.rows.columns import Clear, ColumnMask, clear_of
from pytest_membudget.rows.masking import Masks

TEXTS = st.text(st.characters(codec="utf-8"), max_size=200)


def kind(one: str) -> str:
    if one.isdigit():
        return "digit"
    return ("upper" if one.isupper() else "lower") if one.isalpha() and one.isascii() else "other"


@given(TEXTS)
def test_a_text_keeps_its_length_in_bytes_as_well(text: str) -> None:
    mask = Masks().text(text)
    if "\u00a4" not in mask:  # which stands for a sign that has no neighbours
        assert len(mask.encode()) == len(text.encode())
    assert len(mask) == len(text)
    assert [one.isspace() for one in mask] == [one.isspace() for one in text]


@given(st.text(string.ascii_letters + string.digits + " -@.,:/", min_size=1, max_size=80))
def test_each_character_stays_of_its_kind(text: str) -> None:
    mask = Masks().text(text)
    if any(one.isalnum() for one in text):
        assert [*map(kind, mask)] == [*map(kind, text)]
        assert mask != text


@given(st.lists(TEXTS, max_size=20))
def test_equal_texts_have_equal_masks_and_others_have_others(texts: list[str]) -> None:
    masks = Masks()
    found = {text: masks.text(text) for text in texts if len(text) > 4 and text.isalnum()}
    assert all(masks.text(text) == mask for text, mask in found.items())
    assert len(set(found.values())) == len(found)


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_number_keeps_its_digits_and_fits_its_column(number: int) -> None:
    mask = Masks().number(number)
    assert len(str(mask)) == len(str(number))
    assert abs(mask) < 2**63
    assert mask != number or not number
    for most in (2**15 - 1, 2**31 - 1, 2**63 - 1):
        assert abs(number) > most or abs(mask) <= most


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**9))
def test_a_decimal_keeps_its_places(number: Decimal) -> None:
    mask = Masks().decimal(number)
    assert mask.as_tuple().exponent == number.as_tuple().exponent
    assert len(mask.as_tuple().digits) == len(number.as_tuple().digits)


@given(st.lists(st.times(), min_size=2, max_size=20))
def test_later_times_of_a_day_stay_later(times: list[dt.time]) -> None:
    masks, day = Masks(), dt.date(2024, 5, 1)
    times = [one for one in sorted(times) if one != dt.time()]
    found = [
        masks.moment(dt.datetime.combine(day, one.replace(microsecond=0)))
        for one in times
        if one.replace(microsecond=0) != dt.time()
    ]
    assert found == sorted(found)
    assert all(one.date() == day for one in found)


def test_dates_move_by_as_many_days() -> None:
    masks = Masks()
    days = [dt.date(2024, 1, n) for n in (10, 11, 20)]
    [moved] = {(masks.date(day) - day).days for day in days}
    assert 1 <= abs(moved) <= 6
    assert masks.text("2024-01-10") == masks.date(days[0]).isoformat()
    # One of birth moves by days of its own.
    born = ColumnMask("date_of_birth", masks, clear_of("date_of_birth", days))
    assert len({(born.mask(day) - day).days for day in days}) > 1


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1", "192.168.100.254", "2001:db8::bad:cafe", "10.1.0.0/16", "fe80::1"],
)
def test_an_address_stays_one(text: str) -> None:
    mask = Masks().text(text)
    assert mask != text
    assert len(mask) == len(text)
    ipaddress.ip_interface(mask)


def test_a_uuid_is_the_same_one_as_a_text() -> None:
    masks, value = Masks(), uuid4()
    mask = masks.uuid(value)
    assert mask.version == 4
    assert [masks.text(str(value)), masks.text(value.hex)] == [str(mask), mask.hex]
    assert masks.text(str(value).upper()) == str(mask).upper()


@pytest.mark.parametrize(
    "text", ["2024-02-30", "12:61", "12:05", "2024-01-31T10:00:00Z", "2024-01-31 10:00:00.123+02"]
)
def test_a_time_in_a_text_stays_one(text: str) -> None:
    mask = Masks().text(text)
    assert mask != text
    assert len(mask) == len(text)
    if text.startswith("2024-01-31"):
        assert mask.startswith("2024-01-31")
        assert mask[19:20] == text[19:20]
        dt.datetime.fromisoformat(mask[:19])


def test_binary_values_compress_about_as_well() -> None:
    masks = Masks()
    for value in (b"\x89PNG" * 500, bytes(range(256)) * 4, b"secret words " * 100):
        mask = masks.binary(value)
        assert len(mask) == len(value)
        assert b"secret" not in mask
        assert len(zlib.compress(mask)) < 2 * len(zlib.compress(value)) + 100


def test_a_link_is_still_one() -> None:
    mask = Masks().text("https://anna.example.com/a?b=c")
    assert mask.startswith("https://")
    assert "anna" not in mask


def values(**counts: int) -> Counter[Any]:
    return Counter(counts)


def test_an_enumeration_stays_but_for_what_is_rare_in_it() -> None:
    counts = values(new=100, paid=80, sent=SEVERAL, blackmailed=SEVERAL - 1)
    assert clear_values(counts, "status") == {"new", "paid", "sent"}
    # Of free texts a few are frequent as well.
    assert not clear_values(counts + Counter({f"text {n}": 1 for n in range(100)}), "text")


def test_an_enumeration_is_one_all_over_the_table() -> None:
    """Many rows that follow each other may all be of one person."""
    people = ["abcdefghijkl"[n // 25] * 4 for n in range(300)]
    assert not clear_of("by", people).values
    later = ["old"] * 220 + ["new"] * 80
    assert clear_of("state", later).values == {"": {"old", "new"}}
    documents = [{"state": "on", one: one} for one in people]
    assert clear_of("document", documents) == Clear(frozenset({"state"}), {"state": {"on"}})


@pytest.mark.parametrize(
    "value",
    ["Anna Schmidt", "a@example.com", "4711-08151", "deadbeef0123", "x" * 33, 10_000],
)
def test_what_is_no_code_does_not_stay_however_frequent(value: object) -> None:
    assert not clear_values(Counter({value: 300}), "thing")


@pytest.mark.parametrize(
    "name",
    [
        "email",
        "user_name",
        "lastName",
        "userEmail",
        "phone",
        "api_key",
        "accessToken",
        "passwordHash",
        "ip",
        "ip_address",
        "homeaddress",
        "secretKey",
        "zip",
        "author",
        "note",
        "url",
        "IBAN",
    ],
)
def test_names_of_columns_that_never_stay(name: str) -> None:
    assert is_personal(name)
    assert not clear_values(Counter({"new": 300}), name)


@pytest.mark.parametrize(
    "name", ["status", "kind", "level", "is_open", "created", "recipe", "zipped", "nameless"]
)
def test_names_of_columns_that_may_stay(name: str) -> None:
    assert not is_personal(name)


def test_choices_of_the_code_stay_but_not_those_that_occur_once() -> None:
    counts = Counter({"by phone": 2, "by mail": 1, "Anna": 300})
    assert clear_values(counts, "contact", {"by phone", "by mail"}) == {"by phone"}


def test_keys_of_many_documents_stay() -> None:
    counts = Counter({"title": 300, "once": 1, "a@example.com": 300, "deadbeef01": 9, "1234567": 9})
    assert clear_keys(counts) == {"title"}


def test_values_of_documents_are_masked_by_kind() -> None:
    documents = [
        {"kind": "a", "user": {"role": "boss"}, "n": n, "on": True, "no": None, "t": f"word{n}",
         f"key{n}": {"kind": "a"}}
        for n in range(20)
    ]  # fmt: skip
    clear = clear_of("document", documents)
    assert clear.keys == {"kind", "user", "role", "n", "on", "no", "t"}
    mask = ColumnMask("document", Masks(), clear)
    found = [mask.mask(one) for one in documents]
    assert all(one["kind"] == "a" and one["on"] is True and one["no"] is None for one in found)
    assert all(one["user"]["role"] != "boss" for one in found)  # below a key that names a person
    assert not any(key in one for key in documents[0].keys() - clear.keys for one in found)
    assert [type(one["n"]) for one in found] == [int] * 20
    assert all(one["t"] != other["t"] for one, other in zip(found, documents, strict=True))
    assert [UUID, str] == [type(mask.mask(one)) for one in (uuid4(), "x")]


def test_json_in_a_text_is_still_json() -> None:
    texts = [f'{{"title": "Anna {n}", "ok": true, "price": 12.50}}' for n in range(10)]
    mask = ColumnMask("content", Masks(), clear_of("content", texts))
    for text in texts:
        masked = mask.mask(text)
        assert masked.startswith('{"title": "')
        assert '"ok": true' in masked
        assert "Anna" not in masked
        assert abs(len(masked) - len(text)) <= 1
