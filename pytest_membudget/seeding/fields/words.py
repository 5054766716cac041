"""Ordinary words, and short texts that differ."""

from __future__ import annotations

from random import Random

from faker import Faker
from faker.providers.lorem.en_US import Provider

WORDS = [word.lower() for word in Provider.word_list if len(word) >= 3]
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


PROVIDERS = {
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "user_name": "user_name",
    "username": "user_name",
    "phone": "phone_number",
    "country_code": "country_code",
    "country": "country",
    "currency": "currency_code",
    "city": "city",
    "postcode": "postcode",
    "zip": "postcode",
    "street": "street_address",
    "address": "address",
    "company": "company",
    "url": "url",
    "name": "name",
}
"""What Faker has for fields that have this in their name."""


def words(size: int, rng: Random, between: str = " ") -> str:
    """So many characters of words; the last one is cut off."""
    # No word is shorter than three letters.
    text = between.join(rng.choices(WORDS, k=size // 4 + 1))[:size]
    return f"{text[:-1]}s" if text.endswith(between) else text


def sentences(fake: Faker, length: int) -> str:
    if length < 5:
        return fake.lexify("?" * length)
    return fake.text(length).replace("\n", " ")


def short_text(number: int, length: int) -> str:
    found = ""
    for _ in range(length):
        number, digit = divmod(number, len(LETTERS))
        found = LETTERS[digit] + found
    return found
