"""Limits that a Kubernetes manifest or a Compose file sets, by file and line."""

from __future__ import annotations

import builtins
import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_membudget.budget.limit import limit_in_force
from pytest_membudget.budget.manifests.compose import parse_docker_size
from pytest_membudget.budget.manifests.kubernetes import parse_quantity
from pytest_membudget.budget.options import COMMAND_LINE, INI_FILE, Options, Setting
from pytest_membudget.budget.readers import read_limit
from pytest_membudget.errors import BudgetError

MIB = 1024**2

JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
spec:
  template:
    spec:
      initContainers:
        - name: wait
          image: busybox
      containers:
        - name: app
          image: shop:1
          resources:
            requests:
              memory: 256Mi
            limits:
              memory: 512Mi
"""
CRON_JOB = """\
kind: CronJob
metadata: {name: nightly}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - {name: app, resources: {limits: {memory: 1Gi}}}
"""
# As `helm template` and `kubectl get -o yaml` write them.
RENDERED = f"""\
---
# Source: shop/templates/config.yaml
kind: ConfigMap
metadata: {{name: settings}}
data:
  containers: "none of these"
---
# Source: shop/templates/empty.yaml
---
{JOB}---
apiVersion: v1
kind: List
items:
  - kind: Deployment
    metadata: {{name: web}}
    spec:
      template:
        spec:
          containers:
            - name: app
              resources: {{limits: {{memory: 2Gi}}}}
            - name: proxy
              resources: {{requests: {{memory: 64Mi}}}}
  - kind: Pod
    metadata: {{name: shell}}
    spec:
      containers:
        - name: bash
          resources: {{limits: {{cpu: 1}}}}
"""
COMPOSE = """\
x-limits: &limits
  mem_limit: 512m
services:
  db:
    image: postgres:17
  migrate:
    <<: *limits
    command: python manage.py migrate
  worker:
    deploy:
      resources:
        limits:
          memory: 1g
"""


def found(folder: Path, written: str, text: str) -> Setting[int]:
    (folder / "deploy.yaml").write_text(text)
    assert read_limit(written) == written
    return limit_in_force(written, Options(rootdir=str(folder)))


FOUND = {
    ("k8s:deploy.yaml#app", JOB): (512 * MIB, "18, container Job/migrate/app"),
    ("k8s:deploy.yaml", CRON_JOB): (1024 * MIB, "9, container CronJob/nightly/app"),
    ("k8s:deploy.yaml#migrate/app", RENDERED): (512 * MIB, "27, container Job/migrate/app"),
    ("k8s:deploy.yaml#Deployment/web/app", RENDERED): (
        2048 * MIB,
        "39, container Deployment/web/app",
    ),
    ("compose:deploy.yaml#migrate", COMPOSE): (512 * MIB, "2, service migrate"),
    ("compose:deploy.yaml#worker", COMPOSE): (1024 * MIB, "13, service worker"),
}


@pytest.mark.parametrize(("asked", "limit"), FOUND.items(), ids=[one[0] for one in FOUND])
def test_a_limit_has_its_file_and_line(
    tmp_path: Path, asked: tuple[str, str], limit: tuple[int, str]
) -> None:
    size, place = limit
    source = f"deploy.yaml:{place}, set by the marker"
    assert found(tmp_path, *asked) == Setting(size, source)


REFUSED = {
    ("k8s:deploy.yaml", JOB): (
        "deploy.yaml has 2 containers; add # and the name of one: wait (line 9), app (line 12)"
    ),
    ("k8s:deploy.yaml#app", RENDERED): (
        "deploy.yaml has 2 containers 'app'; write migrate/app (line 21), web/app (line 38)"
    ),
    ("k8s:deploy.yaml#ap", JOB): "deploy.yaml has no container 'ap'; it has wait (line 9), app",
    ("k8s:deploy.yaml#wait", JOB): "deploy.yaml:9: container Job/migrate/wait has no memory limit",
    ("k8s:deploy.yaml#bash", RENDERED): "container Pod/shell/bash has no memory limit",
    ("k8s:deploy.yaml#proxy", RENDERED): (
        "container Deployment/web/proxy has no memory limit but a request of 64Mi (line 41), which "
        "the kernel does not enforce"
    ),
    ("k8s:deploy.yaml", "kind: ConfigMap\n"): "deploy.yaml has no container; render a chart with",
    ("k8s:deploy.yaml", f"{{{{- if .Values.job }}}}\n{JOB}"): "is not YAML: while",
    ("k8s:deploy.yaml#app", JOB.replace("512Mi", "{{ .Values.memory }}")): (
        "deploy.yaml:18: the limit is no text; render a chart with `helm template`"
    ),
    ("k8s:deploy.yaml", "a: &a [*a]\n"): "deploy.yaml is nested too deeply",
    ("k8s:deploy.yaml", CRON_JOB.replace("1Gi", "512m")): (
        "deploy.yaml:9: '512m' is 1 B, too little for a Python process to start; did you mean 512Mi"
    ),
    ("k8s:deploy.yaml", CRON_JOB.replace("1Gi", "512MiB")): (
        "deploy.yaml:9: '512MiB' is not a quantity of Kubernetes"
    ),
    ("k8s:deploy.yaml", CRON_JOB.replace("1Gi", '"0"')): "app has no memory limit",
    (
        "k8s:deploy.yaml",
        CRON_JOB.replace("1Gi", "-1Gi"),
    ): "9: '-1Gi' is -1 GiB, too little",
    ("k8s:missing.yaml", ""): "limit: missing.yaml: no such file or directory",
    ("compose:deploy.yaml", COMPOSE): (
        "has 3 services; add # and the name of one: db (line 5), migrate (line 7), worker (line 10)"
    ),
    ("compose:deploy.yaml#db", COMPOSE): "deploy.yaml:5: service db has no memory limit",
    ("compose:deploy.yaml#migrate", COMPOSE.replace("512m", "${MEMORY:-512m}")): (
        "deploy.yaml:2: '${MEMORY:-512m}' depends on the environment; name a file with the output "
        "of `docker compose config`"
    ),
    ("compose:deploy.yaml#worker", f"{COMPOSE}    mem_limit: 2g\n"): (
        "service worker has two memory limits, in line 13 and 14"
    ),
}


@pytest.mark.parametrize(("asked", "message"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_is_unclear_is_refused(tmp_path: Path, asked: tuple[str, str], message: str) -> None:
    with pytest.raises(BudgetError) as raised:
        found(tmp_path, *asked)
    assert message in str(raised.value)
    assert str(raised.value).startswith("limit: ")


def test_the_same_limit_in_both_places_is_one(tmp_path: Path) -> None:
    both = f"{COMPOSE}    mem_limit: 1024m\n"
    assert found(tmp_path, "compose:deploy.yaml#worker", both).value == 1024 * MIB


@pytest.mark.parametrize("written", ["k8s:", "k8s:#app", "compose:"])
def test_a_limit_that_names_no_file(written: str) -> None:
    with pytest.raises(BudgetError, match="names no file; write "):
        read_limit(written)


def test_a_path_of_the_command_line_is_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "job.yaml").write_text(CRON_JOB)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "job.yaml").write_text(CRON_JOB.replace("1Gi", "2Gi"))
    monkeypatch.chdir(tmp_path / "below")
    for source, size in ((INI_FILE, 1024 * MIB), (COMMAND_LINE, 2048 * MIB)):
        options = Options(limit=Setting("k8s:job.yaml", source), rootdir=str(tmp_path))
        assert limit_in_force(None, options).value == size


def test_without_pyyaml_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "yaml":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BudgetError, match=r'takes PyYAML: install "pytest-membudget\[yaml\]"'):
        found(tmp_path, "k8s:deploy.yaml", JOB)


# From the documentation of Kubernetes, and k8s.io/apimachinery, pkg/api/resource.
QUANTITIES = {
    "128974848": 128974848,
    "129e6": 129_000_000,
    "129M": 129_000_000,
    "128974848000m": 128974848,
    "123Mi": 123 * MIB,
    "0.5Gi": 512 * MIB,
    ".5Gi": 512 * MIB,
    "1.Gi": 1024 * MIB,
    "+1Gi": 1024 * MIB,
    "1E": 10**18,
    "1E9": 10**9,
    "1e-1": 1,
    "64k": 64_000,
    "1500u": 1,
    "0": 0,
}


@pytest.mark.parametrize(("text", "size"), QUANTITIES.items())
def test_quantities_are_those_of_kubernetes(text: str, size: int) -> None:
    assert parse_quantity(text) == size


@pytest.mark.parametrize("text", ["", "Mi", "1 Gi", "1K", "1e", "1e99999", "0x10", "1_000", "٣"])
def test_what_kubernetes_does_not_read_is_none(text: str) -> None:
    with pytest.raises(BudgetError, match="is not a quantity of Kubernetes"):
        parse_quantity(text)


SIZES = {"512m": 512 * MIB, "1g": 1024 * MIB, "2GB": 2048 * MIB, "1.5 GiB": 1536 * MIB, "64": 64}


@pytest.mark.parametrize(("text", "size"), SIZES.items())
def test_sizes_are_those_of_docker(text: str, size: int) -> None:
    assert parse_docker_size(text) == size


@given(st.text(alphabet="0123456789.eE+-KMGTPinumkbB $", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (parse_quantity, parse_docker_size):
        with contextlib.suppress(BudgetError):
            assert isinstance(read(text), int)
