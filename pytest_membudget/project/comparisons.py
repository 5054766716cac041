"""The whole numbers that a migration's code compares a count of rows with.

With more rows than such a number the code may do something else.  Numbers that are compared with a
value of a row, such as a price or a year, or with seconds, are left out.  Code that does something
as often as a count says, as ``range(Order.objects.count())`` does, depends on each further row.
"""

from __future__ import annotations

import ast
import operator
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from types import FunctionType, ModuleType

from pytest_membudget.project.numbers import LEAST, closure, functions_reached, whole
from pytest_membudget.project.ownership import is_own_source
from pytest_membudget.project.syntax import assignments, called, syntax_tree

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_ARITHMETIC: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}
_LARGEST_POWER = 18
_COUNTS = re.compile(r"count|rows|^num|^(pk|id)$|^(pk|id)__max$")
_SECONDS = re.compile(r"^(time|monotonic|perf_counter|process_time|timestamp|total_seconds)$")
_CONVERSIONS = ("int", "float", "abs", "len", "round", "str", "Decimal")
_OWN_STATE = ("self", "cls")
_REPEATS = re.compile(r"^(range|arange|repeat|bytes|bytearray|zeros|ones|empty|full)$")
EACH_ROW = 0
"""Stands for code that does something as often as a count says, in :func:`compared_numbers`."""


def compared_numbers(functions: Iterable[object]) -> list[int]:
    """Sorted, of all code of the project that is called; 0 is a loop over a count of rows."""
    names = []
    for function in functions_reached(functions):
        code = function.__code__
        trees = _functions_of(code.co_filename)[code.co_firstlineno]
        names += [_Names(function, tree) for tree in trees]
    found = {number for one in names for number in one.compared() if number >= LEAST}
    return sorted(found | {EACH_ROW for one in names if one.repeats()})


@cache
def _functions_of(file: str) -> dict[int, list[_Function]]:
    """The functions of a file by their first line, decorators included."""
    found: dict[int, list[_Function]] = defaultdict(list)
    for node in ast.walk(syntax_tree(file)):
        if isinstance(node, _Function):
            decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
            found[min(one.lineno for one in [node, *decorators])].append(node)
    return found


class _Names:
    """What the names in one function stand for, by its source and its globals."""

    def __init__(self, function: FunctionType, tree: _Function) -> None:
        self._function = function
        self._tree = tree
        self._assigned: dict[str, list[ast.expr | None]] = {}
        self._resolving: set[str] = set()
        for node in ast.walk(tree):
            for target, value in assignments(node):
                self._assigned.setdefault(target, []).append(value)

    def compared(self) -> Iterator[int]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Compare):
                for one, other in pairwise([node.left, *node.comparators]):
                    for number, counted in ((one, other), (other, one)):
                        value = self._value(number)
                        if value is not None and self._counts(counted):
                            yield value

    def repeats(self) -> bool:
        return any(map(self._repeats, ast.walk(self._tree)))

    def _repeats(self, node: ast.AST) -> bool:
        times: list[ast.expr] = []
        if isinstance(node, ast.Call):
            times = node.args if _REPEATS.search(called(node)) else []
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            written = (ast.List, ast.Tuple, ast.JoinedStr)
            for one, number in ((node.left, node.right), (node.right, node.left)):
                if isinstance(one, written) or isinstance(self._object(one), str | bytes):
                    times.append(number)
        elif isinstance(node, ast.While) and isinstance(node.test, ast.Compare):
            times = [node.test.left, *node.test.comparators]
            times = times if all(self._value(one) is None for one in times) else []
        return any(map(self._counts, times))

    def _counts(self, node: ast.expr) -> bool:
        return self._value(node) is None and self._may_count(node, frozenset())

    def _value(self, node: ast.expr) -> int | None:
        """The whole number that an expression stands for; nothing of the project is called."""
        if isinstance(node, ast.BinOp):
            left, right = self._value(node.left), self._value(node.right)
            if left is None or right is None:
                return None
            if isinstance(node.op, ast.Pow):
                return left**right if 0 <= right <= _LARGEST_POWER else None
            known = _ARITHMETIC.get(type(node.op))
            return known(left, right) if known and (right or known is operator.mul) else None
        if isinstance(node, ast.Call):
            is_int = isinstance(node.func, ast.Name) and node.func.id == "int"
            return self._value(node.args[0]) if is_int and len(node.args) == 1 else None
        return whole(self._object(node))

    def _object(self, node: ast.expr) -> object:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.Attribute):
            holder = self._object(node.value)
            if type(holder) is type:
                own = is_own_source(sys.modules.get(holder.__module__))
                return vars(holder).get(node.attr) if own else None
            if type(holder) is ModuleType and is_own_source(holder):
                return vars(holder).get(node.attr)
        return None

    def _named(self, name: str) -> object:
        if name in _OWN_STATE:
            return self._function.__globals__.get(self._function.__qualname__.split(".")[0])
        given = self._assigned.get(name)
        if not given:
            return _outside(self._function).get(name, self._function.__globals__.get(name))
        if given[0] is None or len(given) > 1 or name in self._resolving:
            return None
        self._resolving.add(name)
        try:
            return self._value(given[0])
        finally:
            self._resolving.discard(name)

    def _may_count(self, node: ast.expr, seen: frozenset[str]) -> bool:
        """Whether what an expression gives may be a number of rows."""
        if isinstance(node, ast.Name):
            if node.id in seen or node.id not in self._assigned:
                return node.id not in seen
            of = seen | {node.id}
            return any(one is None or self._may_count(one, of) for one in self._assigned[node.id])
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in _OWN_STATE
            return own or bool(_COUNTS.search(node.attr))
        if isinstance(node, ast.Subscript):
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            return isinstance(node.value, ast.Call) or bool(_COUNTS.search(str(key)))
        if isinstance(node, ast.Call):
            if called(node) in _CONVERSIONS and node.args:
                return self._may_count(node.args[0], seen)
            return not _SECONDS.search(called(node))
        if isinstance(node, ast.List | ast.Set | ast.Dict | ast.ListComp | ast.SetComp):
            return True
        inner = [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr)]
        return any(self._may_count(one, seen) for one in inner)


def _outside(function: FunctionType) -> dict[str, object]:
    """The defaults of its own parameters, and the variables of the functions around it."""
    positional = function.__code__.co_varnames[: function.__code__.co_argcount]
    defaults = function.__defaults__ or ()
    return {
        **dict(zip(reversed(positional), reversed(defaults), strict=False)),
        **(function.__kwdefaults__ or {}),
        **closure(function),
    }
