"""Conditions on documents as MySQL's functions say them, in the words of the other databases."""

from __future__ import annotations

from sqlglot import exp


def in_common_words(tree: exp.Expr) -> exp.Expr:
    return tree.transform(_in_common_words)


def _in_common_words(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.Anonymous):
        return node
    name, arguments = node.name.upper(), node.expressions
    if name == "JSON_UNQUOTE" and len(arguments) == 1:
        # What it leaves is met by the same documents.
        return _in_common_words(arguments[0])
    if name == "JSON_CONTAINS_PATH" and len(arguments) == 3:
        document, _, path = arguments
        found = exp.JSONType(this=document, expression=path)
        return exp.Not(this=exp.Is(this=found, expression=exp.Null()))
    return node
