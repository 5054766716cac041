"""What is replaced in a text before it is shown, and what is not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_membudget.project.secrets import MASK, Secrets
from pytest_membudget.project.syntax import literals
from pytest_membudget.sql.literals import without_literals

PLANTED = "planted-0f3a"


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("""FROM "a" WHERE "a"."b" = 'it''s planted'""", """FROM "a" WHERE "a"."b" = %s"""),
        ("FROM a WHERE b = 'planted and cut", "FROM a WHERE b = %s"),
        (r"WHERE b = E'it\'s planted' AND c", "WHERE b = %s AND c"),
        ("WHERE b = $$planted$$ AND c = $x$planted$x$", "WHERE b = %s AND c = %s"),
        ("WHERE b = $$planted and cut", "WHERE b = %s"),
        ('WHERE b = "planted" OR b LIKE "planted%"', "WHERE b = %s OR b LIKE %s"),
        ('WHERE "a"."b" = "c"."planted"', 'WHERE "a"."b" = "c"."planted"'),
        ('WHERE b IN ("planted", "planted") AND c', "WHERE b IN (%s) AND c"),
        ("WHERE b IN (SELECT c FROM d)", "WHERE b IN (SELECT c FROM d)"),
        ("WHERE a1 = 4711 AND U0.b > -1.5e3", "WHERE a1 = %s AND U0.b > -%s"),
        ("WHERE b = X'70' AND c = $1 AND d = %(e2)s", "WHERE b = %s AND c = $1 AND d = %(e2)s"),
        ('FROM "2 tables" -- planted\nWHERE /* planted */ a', 'FROM "2 tables"  \nWHERE   a'),
    ],
)
def test_a_statement_is_shown_without_its_literals(statement: str, shown: str) -> None:
    assert without_literals(statement) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"bad token {PLANTED}.", f"bad token {MASK}."),
        (f"key_{PLANTED}-1", f"key_{MASK}-1"),
        (f"no{PLANTED}", f"no{PLANTED}"),
        (r"it\'s \'planted\'\n0123456789", MASK),
        ("connect to redis://:pw@host/0", f"connect to redis://{MASK}@host/0"),
        ("GET https://example.com/a@b", "GET https://example.com/a@b"),
        (
            'duplicate key value violates unique constraint "shop_number_key"\n'
            "DETAIL:  Key (number)=(planted) already exists.",
            'duplicate key value violates unique constraint "shop_number_key"',
        ),
        (
            "null value\nDETAIL:  Failing row contains (1, pla\nnted).\nHINT:  Do it.\nDone",
            "null value\nHINT:  Do it.\nDone",
        ),
        ("column not there\nLINE 1: SELECT 'planted'\n   ^\nDone", "column not there\nDone"),
        (
            'invalid input syntax for type integer: "planted"',
            f'invalid input syntax for type integer: "{MASK}"',
        ),
    ],
)
def test_secrets_and_values_of_rows_are_hidden(text: str, shown: str) -> None:
    secrets = Secrets([PLANTED, "it's 'planted'\n0123456789"])
    assert secrets.hide(text) == shown


@dataclass(frozen=True)
class Report:
    lines: tuple[str, ...]
    rows: dict[str, int]


def test_every_text_of_a_result_is_hidden() -> None:
    hidden = Secrets([PLANTED]).hide_in(Report((PLANTED, "line"), {"shop.Order": 1}))
    assert hidden == Report((MASK, "line"), {"shop.Order": 1})


SETTINGS = """
import os, json
from types import SimpleNamespace
from django.conf import settings
from django.utils.functional import SimpleLazyObject
from pytest_membudget.project.secrets import known_secrets

def refuse():
    raise AssertionError("it was asked for")

settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "pytest_membudget.profile"],
    SECRET_KEY="django-key-1", PAYMENTS=[{"stripe": {"API_KEY": b"nested-2", "live": True}}],
    BROKER_URL="amqp://user:p%40ss-3@host", SIGNING_PRIVATE="-----BEGIN-----\\n" + "4" * 64,
    DATABASES={"default": {"PASSWORD": "password-5", "NAME": "shop", "USER": "shop"}},
    DATABASE_OPTIONS="host=a password='pass-6' user=b", LAZY_TOKEN=SimpleLazyObject(refuse),
    AUTHOR="Jane Doe", KEYS_DIRECTORY="/tmp", AUTH_KEY_FIELD="number", API_VERSION="2",
    LOGIN_TOKEN_VIEW="pytest_membudget.views.login", API_OWNER="profile", TOKEN_MODEL="auth.User",
)
print(json.dumps(sorted(known_secrets().values)))
"""


def test_settings_and_variables_are_secret_by_their_names() -> None:
    variables = {
        "TOKEN": "token-7",
        "GIT_AUTHOR_NAME": "Jane-Doe-8",
        "DATABASE_URL": "a://b:url-9@c",
    }
    done = subprocess.run(
        [sys.executable, "-c", SETTINGS], env=variables, capture_output=True, text=True, check=True
    )
    key = "-----BEGIN-----\n" + "4" * 64
    assert set(json.loads(done.stdout)) == {
        "django-key-1", "nested-2", "p%40ss-3", "p@ss-3", key, "4" * 64, "password-5", "pass-6",
        "token-7", "url-9",
    }  # fmt: skip


def test_settings_that_django_refuses_or_deprecates_are_no_errors() -> None:
    code = (
        "from django.conf import settings; settings.configure(SECRET_KEY='');"
        "from pytest_membudget.project.secrets import known_secrets; known_secrets()"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_values_that_stand_in_the_source(tmp_path: Path) -> None:
    file = tmp_path / "0002_a.py"
    file.write_text("a = 'new'; b = -1; c = f'part {a}'; d = 'SELECT 1 = \\'x\\''; e = 2.5")
    found = literals([str(file), str(file.with_name("gone.py"))])
    assert {"new", -1, 2.5} <= found
    assert not {"part ", "x"} & found
