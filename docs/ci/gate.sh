#!/bin/sh
# Holds the migrations that a branch adds or changes against the memory limit.
#
#     gate.sh [TARGET [ARGUMENT...]]
#
# TARGET is what the branch will be merged into, a git ref: origin/main when nothing is said.  The
# ARGUMENTs are pytest's.  Run it where pytest's ini file is; the reports are in membudget-report/.
# Ends with 0 when all fit or none was changed, with 1 when one does not fit, and with pytest's own
# code when it could not be said.
set -eu

target=${1:-origin/main}
[ $# -eq 0 ] || shift

# Without python_files no test is collected: they have a job of their own.  -m takes back what
# addopts may say, which would leave out the migrations.
status=0
python -m pytest "--membudget-gate=$target" -o python_files= -m "" \
    --membudget-json=membudget-report/results.json \
    --membudget-html=membudget-report/report.html \
    --membudget-markdown=membudget-report/report.md \
    --junit-xml=membudget-report/junit.xml \
    "$@" || status=$?

if [ -f membudget-report/results.json ]; then
    python -m pytest_membudget report membudget-report/results.json \
        --sarif membudget-report/membudget.sarif \
        --code-quality membudget-report/code-quality.json \
        --openmetrics membudget-report/metrics.txt > membudget-report/report.txt ||
        [ "$status" -ne 0 ] || status=1
fi

# pytest's 5 is "no tests collected": the branch leaves the migrations alone.
if [ "$status" -eq 5 ]; then
    echo "No migration was added or changed since $target."
    status=0
fi
exit "$status"
