"""Globs over the names of source objects. Pure text: it knows no store and touches no file.

    *      any characters but "/"          ?      one character but "/"
    **/    any folders, or none            **     at the end: everything below
    [a-z]  one of these                    [!a-z] none of these

A pattern is matched against the whole name below the source: `*.pdf` is a PDF directly in it, `**/*.pdf` one at any depth. Upper and lower
case are the same, because scanners write `.PDF`, and a document left out in silence is worse than one too many.
"""

import re
from collections.abc import Callable, Iterable

from pipeline.errors import JobError


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return whether a name matches any of the patterns; no patterns match nothing. Raises JobError of a range that runs backwards."""
    expressions = [_compiled(pattern) for pattern in patterns]
    return lambda name: any(expression.fullmatch(name) for expression in expressions)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(_expression(pattern), re.IGNORECASE | re.DOTALL)
    except re.error as exc:
        raise JobError(f"pattern {pattern!r}: {exc.msg}") from exc


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
