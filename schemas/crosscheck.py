"""What must hold between fields, as a person writes it: `net + tax = total`, `date <= due`, `sum(amount) = net`. Read, never run: it is no Python."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

Value = Decimal | date
TOLERANCE = Decimal("0.005")
"""Amounts that differ by no more than half a cent are equal: shares and rates are printed rounded."""

_SINGLE = re.compile(r"(?<![<>=!])=(?!=)")
_SIGNS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_COMPARES: dict[type[ast.cmpop], str] = {ast.Eq: "=", ast.LtE: "<=", ast.GtE: ">=", ast.Lt: "<", ast.Gt: ">"}


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """A comparison of two sums of fields, numbers and sums of columns; `names` are the fields, `columns` what sum(…) is over."""

    text: str
    names: frozenset[str]
    columns: frozenset[str]
    _left: ast.expr
    _sign: str
    _right: ast.expr

    @property
    def compares_alone(self) -> bool:
        """Return whether two fields are compared and nothing is added."""
        return isinstance(self._left, ast.Name) and isinstance(self._right, ast.Name)

    def fault(self, values: Mapping[str, Value]) -> str | None:
        """Return how it fails with these values, one for each name and, as `sum_of` calls it, for each column; or None where it holds."""
        with localcontext(prec=80):
            left, right = _worth(self._left, values), _worth(self._right, values)
            if isinstance(left, date) or isinstance(right, date):
                holds = (
                    isinstance(left, date) and isinstance(right, date) and _compare(self._sign, (left > right) - (left < right))
                )
            else:
                apart = left - right
                holds = _compare(self._sign, 0 if abs(apart) <= TOLERANCE else 1 if apart > 0 else -1)
        return None if holds else f"{self.text} does not hold: {_told(left)} and {_told(right)}"


def cross_check(text: str) -> CrossCheck:
    """Read a check. Raises ValueError, with what is wrong, on anything else than a comparison of sums."""
    try:
        tree = ast.parse(_SINGLE.sub("==", text.strip()), mode="eval").body
    except (SyntaxError, ValueError) as exc:
        raise ValueError(f"{text!r} cannot be read: write a comparison, as in net + tax = total") from exc
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1 or type(tree.ops[0]) not in _COMPARES:
        raise ValueError(f"{text!r} is no comparison of two sides by =, <, >, <= or >=")
    known = frozenset(_names(tree.left, text)) | frozenset(_names(tree.comparators[0], text))
    names, columns = (frozenset(name for name, kind in known if kind == wanted) for wanted in ("field", "column"))
    return CrossCheck(text.strip(), names, columns, tree.left, _COMPARES[type(tree.ops[0])], tree.comparators[0])


def sum_of(column: str) -> str:
    """Return what the sum of a column is called among values."""
    return f"sum({column})"


def _names(side: ast.expr, text: str) -> list[tuple[str, str]]:
    """Return what stands on a side, each with whether it is a field or a column."""
    match side:
        case ast.Name(id=name):
            return [(name, "field")]
        case ast.Call(func=ast.Name(id="sum"), args=[ast.Name(id=name)], keywords=[]):
            return [(name, "column")]
        case ast.Constant(value=int() | float()) if not isinstance(side.value, bool):
            return []
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
            return [*_names(left, text), *_names(right, text)]
        case _:
            raise ValueError(f"{text!r}: only fields' names, sum(column), numbers, +, - and * stand on either side")


def _worth(side: ast.expr, values: Mapping[str, Value]) -> Value:
    match side:
        case ast.Name(id=name):
            return values[name]
        case ast.Call(args=[ast.Name(id=name)]):
            return values[sum_of(name)]
        case ast.Constant(value=number):
            return Decimal(str(number))
        case ast.BinOp(left=left, op=sign, right=right):
            one, other = _worth(left, values), _worth(right, values)
            if isinstance(one, date) or isinstance(other, date):
                raise TypeError("dates are compared, not added")
            return _SIGNS[type(sign)](one, other)
        case _:
            raise ValueError("not a check")


def _told(value: Value) -> str:
    """Return a number as people write it: rows keep nine decimals, of which those past the second say nothing where they are 0."""
    whole, point, decimals = str(value).partition(".")
    return whole + point + decimals[:2] + decimals[2:].rstrip("0")


def _compare(sign: str, order: int) -> bool:
    return {"=": order == 0, "<=": order <= 0, ">=": order >= 0, "<": order < 0, ">": order > 0}[sign]
