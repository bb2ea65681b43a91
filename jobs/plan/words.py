"""A plan in words. Pure."""

from math import floor, log10

from schemas.plan import Estimate, Plan


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
        f"  pages       {_number(plan.pages)}",
        f"  text layer  {_share(plan.with_text_layer)} of the pages; blank {_share(plan.blank)}",
        f"  unreadable  {_number(plan.unreadable)} documents",
        f"  requests    {_number(plan.requests)}; {_number(plan.tokens)} tokens of answers",
    ]
    for index, each in enumerate(plan.rungs if len(plan.rungs) > 1 else ()):
        shown = f"{each.rung.resolution} px" + ("" if each.rung.tiles == "none" else f", {each.rung.tiles} tiles")
        lines.append(f"    rung {index + 1} ({shown}): {_number(each.requests)} requests, {_number(each.tokens)} tokens")
    lines.append(f"  GPU hours   {_hours(plan.gpu_hours)} on {plan.gpu}")
    if plan.dollars is not None:
        value, low, high, price = map(
            _money, (plan.dollars.value, plan.dollars.low, plan.dollars.high, plan.dollars_per_hour or 0.0)
        )
        lines.append(f"  money       {value} ({low} to {high}) at {price} an hour")
    return "\n".join([*lines, *(f"  assuming    {said}" for said in plan.taken_for_granted)])


def _money(dollars: float) -> str:
    """Return dollars with cents; less than ten cents by their first two figures, so that little is not called nothing."""
    return f"${dollars:,.2f}" if dollars == 0 or round(dollars, 2) >= 0.1 else f"${_figures(dollars, 2)}"


def _number(estimate: Estimate) -> str:
    if estimate.low == estimate.high:
        return f"{estimate.value:,.0f}"
    return f"{estimate.value:,.0f} ({estimate.low:,.0f} to {estimate.high:,.0f})"


def _hours(estimate: Estimate) -> str:
    if estimate.low == estimate.high:
        return _figures(estimate.value, 3)
    return f"{_figures(estimate.value, 3)} ({_figures(estimate.low, 3)} to {_figures(estimate.high, 3)})"


def _figures(number: float, count: int) -> str:
    """Return a number to its first figures, all before the point among them, and written out: nobody says hours or money by powers of ten."""
    decimals = max(0, count - 1 - floor(log10(abs(number)))) if number else 0
    said = f"{number:,.{decimals}f}"
    return said.rstrip("0").rstrip(".") if decimals else said


def _share(estimate: Estimate) -> str:
    if estimate.low == estimate.high:
        return f"{estimate.value:.0%}"
    return f"{estimate.value:.0%} ({estimate.low:.0%} to {estimate.high:.0%})"
