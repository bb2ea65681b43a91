"""A plan in words. Pure."""

from collections.abc import Callable
from math import floor, log10

from schemas.plan import Estimate, Plan

_LITTLE = 0.0001
"""Of hours and dollars, what is less is not told further."""


def in_words(plan: Plan) -> str:
    """Return a plan as a person reads it: numbers, each with how far it may be off, and what was taken for granted."""
    known = plan.objects_listed - plan.objects_left
    lines = [
        f"{plan.job_name}: {plan.objects_listed:,} objects listed, {plan.objects_left:,} documents to read, {max(known, 0):,} need nothing",
    ]
    if not plan.objects_left:
        return "\n".join([*lines, "  nothing to do: every page is read already"])
    lines += [
        f"  looked at   {plan.documents_looked_at:,} documents, {plan.pages_looked_at:,} of their pages",
        f"  pages       {_said(plan.pages, _number)}",
        f"  text layer  {_said(plan.with_text_layer, _share)} of the pages; blank {_said(plan.blank, _share)}",
        f"  unreadable  {_said(plan.unreadable, _number)} documents",
        f"  requests    {_said(plan.requests, _number)}; {_said(plan.tokens, _number)} tokens of answers",
    ]
    for index, each in enumerate(plan.rungs if len(plan.rungs) > 1 else ()):
        shown = f"{each.rung.resolution} px" + ("" if each.rung.tiles == "none" else f", {each.rung.tiles} tiles")
        lines.append(
            f"    rung {index + 1} ({shown}): {_said(each.requests, _number)} requests, {_said(each.tokens, _number)} tokens"
        )
    lines.append(f"  GPU hours   {_said(plan.gpu_hours, _hours)} on {plan.gpu}")
    if plan.dollars is not None:
        lines.append(f"  money       {_said(plan.dollars, _money)} at {_money(plan.dollars_per_hour or 0.0)} an hour")
    return "\n".join([*lines, *(f"  assuming    {said}" for said in plan.taken_for_granted)])


def _said(estimate: Estimate, say: Callable[[float], str]) -> str:
    """Return a number with how far it may be off, unless that is said in the same words."""
    value, low, high = map(say, (estimate.value, estimate.low, estimate.high))
    return value if low == high else f"{value} ({low} to {high})"


def _money(dollars: float) -> str:
    """Return dollars with cents; less than ten cents by their first two figures, so that little is not called nothing."""
    if 0 < dollars < _LITTLE:
        return f"less than ${_LITTLE}"
    return f"${dollars:,.2f}" if dollars == 0 or round(dollars, 2) >= 0.1 else f"${_figures(dollars, 2)}"


def _number(count: float) -> str:
    return f"{count:,.0f}"


def _hours(hours: float) -> str:
    return f"less than {_LITTLE}" if 0 < hours < _LITTLE else _figures(hours, 3)


def _share(share: float) -> str:
    return f"{share:.0%}"


def _figures(number: float, count: int) -> str:
    """Return a number to its first figures, all before the point among them, and written out: nobody says hours or money by powers of ten."""
    decimals = max(0, count - 1 - floor(log10(abs(number)))) if number else 0
    said = f"{number:,.{decimals}f}"
    return said.rstrip("0").rstrip(".") if decimals else said
