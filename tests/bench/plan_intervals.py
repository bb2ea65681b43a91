"""How often the interval of a plan holds what the whole comes to: many samples of a folder's documents, each against all of them.

python tests/bench/plan_intervals.py FOLDER
"""

import random
import sys
from collections.abc import Sequence

from jobs.plan.estimate import Seen, Totals
from jobs.plan.look import PAGES, REQUESTS, RUNGS, TEXT_LAYER, Looker, columns
from jobs.plan.todo import todo
from schemas.job import Job

SAMPLES = 200


def main(folder: str) -> None:
    """Print the share of samples whose 95% interval holds the truth, by the sample's size."""
    job = Job.model_validate(
        {
            "name": "plan",
            "source": {"uri": folder, "include": ["**/*.pdf"]},
            "sink": {"uri": f"{folder}/never-written"},
            "model": {"engine": "scripted", "checkpoint": folder},
            "render": {"text_layer": "prefer", "ladder": [{"tiles": "whitespace"}]},
            "tasks": [{"type": "ocr"}],
        }
    )
    looker = Looker(job, (), 0)
    drawn = todo(job, sample=10**6, seed=0, backfill=False).drawn
    seen = [one for candidate in drawn if (one := looker.look(candidate)) is not None]
    looker.close()
    for size in (len(seen) // 5, len(seen) // 2, len(seen) * 3 // 4):
        print(f"{size:4} of {len(seen)} documents: " + ", ".join(_held(seen, size)))


def _held(seen: Sequence[Seen], size: int) -> list[str]:
    said = []
    for name, column in (("pages", PAGES), ("text layers", TEXT_LAYER), ("requests", RUNGS + REQUESTS)):
        true, width = Totals(seen, len(seen), columns(1), 0).total(column).value, columns(1)
        estimates = [
            Totals(random.Random(seed).sample(seen, size), len(seen), width, seed).total(column)  # noqa: S311
            for seed in range(SAMPLES)
        ]
        held = sum(each.low <= true <= each.high for each in estimates) / SAMPLES
        high = sorted(each.high for each in estimates)[SAMPLES // 2] / true
        said.append(f"{name} held by {held:.0%}, upper end {high:.1f} times the truth (median)")
    return said


if __name__ == "__main__":
    main(sys.argv[1])
