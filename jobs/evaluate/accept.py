"""What is good enough, as a person writes it: `cer<=0.03`, `fields.exact>=0.95`."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from jobs.evaluate.report import LESS_IS_BETTER, METRICS, Report
from pipeline.errors import JobError

_FORM = re.compile(
    r"\s*(?P<metric>(?:[a-z_]+\.)?(?P<name>[a-z_0-9]+))\s*(?P<sign><=|>=|<|>)\s*(?P<bound>\d+(?:\.\d+)?)\s*(?P<percent>%?)\s*"
)
_SIGNS: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


@dataclass(frozen=True, slots=True)
class Bound:
    """A metric, of one task (`task.metric`) or of every task that has it, and how far it may go."""

    metric: str
    sign: str
    value: float

    def holds(self, report: Report) -> bool:
        """Return whether a report keeps within the bound; one that does not have the metric does not."""
        found = report.overall(self.metric)
        return bool(found) and all(_SIGNS[self.sign](score.value, self.value) for score in found)

    def __str__(self) -> str:
        return f"{self.metric}{self.sign}{self.value:g}"


def bound(text: str) -> Bound:
    """Read a bound; raises JobError on a metric that is not known and on a bound that a better score would break."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise JobError(f"--accept {text!r}: write a metric, a sign and a number, as in cer<=0.03 or fields.exact>=0.95")
    name = match["name"]
    if name not in METRICS:
        raise JobError(f"--accept {text!r}: there is no metric {name}; there are {', '.join(METRICS)}")
    wanted = "<" if name in LESS_IS_BETTER else ">"
    if not match["sign"].startswith(wanted):
        raise JobError(f"--accept {text!r}: of {name}, {'less' if wanted == '<' else 'more'} is better: use {wanted}=")
    return Bound(match["metric"], match["sign"], float(match["bound"]) / (100 if match["percent"] else 1))
