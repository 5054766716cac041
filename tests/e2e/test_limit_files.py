"""``limit="k8s:FILE"`` wherever a limit is set."""

from __future__ import annotations

from project import FEW, STREAM, Project

MIB = 1024**2
JOB = """\
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec:
      containers:
        - name: app
          resources: {limits: {memory: 512Mi}}
"""
COMPOSE = "services:\n  migrate:\n    mem_limit: 1g\n"
OVERRIDE = '[tool.membudget.migrations."shop.0002_it"]\nlimit = "k8s:deploy/job.yaml"\n'


def test_a_limit_in_a_file(project: Project) -> None:
    project.write("deploy/job.yaml", JOB)
    project.write("compose.yaml", COMPOSE)
    project.write("pyproject.toml", OVERRIDE)
    project.migration("0002_it", STREAM)
    marked = 'limit="k8s:deploy/job.yaml#app"'
    project.budgets(('"shop.0002"', FEW, marked), ('"shop.0002"', FEW))
    project.add("pytest.ini", "membudget_limit = compose:compose.yaml")
    rows = "--membudget-rows=*=5"
    results = project.results("--membudget-gate=shop.0002", "test_budget.py", "shop", rows)
    job = "deploy/job.yaml:8, container Job/migrate/app, set by the marker"
    assert {one["nodeid"].rpartition("::")[2]: one["limit_source"] for one in results} == {
        "test_0": job,
        "test_1": "compose.yaml:3, service migrate, set by the ini file",
        "membudget": job,
    }
    assert {one["limit_bytes"] for one in results} == {512 * MIB, 1024 * MIB}


def test_an_ambiguous_file_is_a_usage_error(project: Project) -> None:
    project.write("deploy/job.yaml", f"{JOB}        - name: proxy\n")
    project.check(STREAM, FEW, 'limit="k8s:deploy/job.yaml"')
    run = project.run()
    assert run.ret == 4
    run.stderr.fnmatch_lines(
        ["*limit: deploy/job.yaml has 2 containers; add # and the name of one: app (line 7), *"]
    )
