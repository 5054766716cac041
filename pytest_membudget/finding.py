"""What the reader of a verdict should know about how it came about."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_membudget.texts import OpenTextEnum


class FindingCode(OpenTextEnum):
    """What a finding is about; docs/results.md says what each means."""

    ACCESS_REFUSED = "access-refused"
    ACCESS_REFUSED_BEFORE = "access-refused-before"
    ASYNC_CODE = "async-code"
    BRANCH_AHEAD = "branch-ahead"
    BREAKS_IN = "breaks-in"
    BROKE_AT_SCALE = "broke-at-scale"
    CHILD_PROCESSES = "child-processes"
    CODE_LEFT_OUT = "code-left-out"
    CODE_NOT_RUN = "code-not-run"
    CONNECTION_UNLOGGED = "connection-unlogged"
    CYCLES_AHEAD = "cycles-ahead"
    DEBUG_ON = "debug-on"
    DISK_ROOM = "disk-room"
    KERNEL_VERDICT = "kernel-verdict"
    MACHINE_SHORT = "machine-short"
    MEASURED_HERE = "measured-here"
    MEASURED_ON_EMPTY_TABLES = "measured-on-empty-tables"
    MEASURED_ON_FEW_ROWS = "measured-on-few-rows"
    MEMORY_UNEXPLAINED = "memory-unexplained"
    MODIFIED_LEFT_OUT = "modified-left-out"
    NOT_CONFIRMED = "not-confirmed"
    PEAK_SAMPLED = "peak-sampled"
    PEAK_SET_BY = "peak-set-by"
    PROCESSES_GROWING = "processes-growing"
    PROCESSES_LEFT = "processes-left"
    RECEIVER_FAILED = "receiver-failed"
    RECEIVER_ROWS = "receiver-rows"
    ROUTED_ELSEWHERE = "routed-elsewhere"
    ROW_WIDTHS = "row-widths"
    ROWS_ADDED = "rows-added"
    ROWS_ASKED = "rows-asked"
    ROWS_FEWER = "rows-fewer"
    ROWS_FRESH = "rows-fresh"
    ROWS_LEARNED = "rows-learned"
    ROWS_SAMPLED = "rows-sampled"
    ROWS_SHARED = "rows-shared"
    ROWS_UNASKED = "rows-unasked"
    ROWS_UNATTRIBUTED = "rows-unattributed"
    ROWS_UNLOGGED = "rows-unlogged"
    ROWS_UNNAMED = "rows-unnamed"
    ROWS_UNTOUCHED = "rows-untouched"
    SERVER_SIDE_CURSORS_DISABLED = "server-side-cursors-disabled"
    SHAPE_MISSED = "shape-missed"
    SHARED_MEMORY = "shared-memory"
    STATEMENT_HELD_UP = "statement-held-up"
    STATEMENT_TOO_LONG = "statement-too-long"
    STATEMENT_UNMATCHED = "statement-unmatched"
    STATEMENT_UNREAD = "statement-unread"
    STATEMENTS_PER_ROW = "statements-per-row"
    TABLE_WITHOUT_MODEL = "table-without-model"
    THRESHOLD_AHEAD = "threshold-ahead"
    TIME_SUPERLINEAR = "time-superlinear"
    TIMED_OUT = "timed-out"
    TOO_MANY_PARAMETERS = "too-many-parameters"
    VENDOR_SQLITE = "vendor-sqlite"
    WIDTHS_COMPRESSED = "widths-compressed"
    WIDTHS_UNKNOWN = "widths-unknown"


@dataclass(frozen=True)
class Finding:
    """A remark about how a verdict came about, with a stable code that a script can look for."""

    code: FindingCode
    message: str
