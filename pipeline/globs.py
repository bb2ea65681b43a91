"""Globs over the names of source objects. Pure text: it knows no store and touches no file.

    *      any characters but "/"          ?      one character but "/"
    **/    any folders, or none            **     at the end: everything below
    [a-z]  one of these                    [!a-z] none of these

A pattern is matched against the whole name below the source: `*.pdf` is a PDF directly in it, `**/*.pdf` one at any depth. Upper and lower
case are the same, because scanners write `.PDF`, and a document left out in silence is worse than one too many.
"""

import re
from collections.abc import Callable, Iterable


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return whether a name matches any of the patterns; no patterns match nothing."""
    alternatives = [_expression(pattern) for pattern in patterns]
    if not alternatives:
        return lambda name: False  # noqa: ARG005
    expression = re.compile("|".join(alternatives), re.IGNORECASE | re.DOTALL)
    return lambda name: expression.fullmatch(name) is not None


_TOKEN = re.compile(
    r"(?P<folders>(?:(?<=/)|^)\*\*/)|(?P<below>(?:(?<=/)|^)\*\*$)|(?P<any>\*+)|(?P<one>\?)|\[(?P<not>!?)(?P<set>\]?[^\]/]*)\]|(?P<plain>.)",
    re.DOTALL,
)
_MEANING = {"folders": "(?:[^/]+/)*", "below": ".*", "any": "[^/]*", "one": "[^/]"}


def _expression(pattern: str) -> str:
    return "".join(_piece(token) for token in _TOKEN.finditer(pattern.removeprefix("/")))


def _piece(token: re.Match[str]) -> str:
    kind = token.lastgroup or ""
    if kind == "set":
        members = re.sub(r"([\\\[\]^&~|])", r"\\\1", token["set"])
        return f"(?!/)[{'^' if token['not'] else ''}{members}]" if members else re.escape(token[0])
    return _MEANING.get(kind) or re.escape(token[0])
