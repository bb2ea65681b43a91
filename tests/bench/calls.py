"""How full a GPU's worker keeps vLLM, by how many calls it has and how many pages go to each: worked out, not measured.

`python tests/bench/calls.py`. A call draws its pages one after the other, asks for all of them, and waits until the last is answered
(pipeline/worker.py); the device answers up to 128 requests at once, as vLLM is set up to on a GPU, each after half to one and a half times
what makes the rate that is given. The clock is made up, so that it says the same everywhere and takes a second.
"""

import heapq
import itertools
import random
from collections import deque
from dataclasses import dataclass

from pipeline.cluster import CALLS_PER_GPU
from pipeline.passes import UNITS_PER_BLOCK, UNITS_PER_GPU_BLOCK

FILL = 128
DRAW_S, CORES = 0.075, 8  # a scan at 448 px (LOG.md), and the CPUs beside each GPU (deploy/README.md)
BLOCKS = 600


@dataclass(frozen=True, slots=True)
class Fullness:
    """The share of time with fewer requests than FILL at hand, and of the rate that the device has at its fullest."""

    short: float
    rate: float


def main() -> None:
    """Print a table."""
    print("| pages/s at its fullest | questions a page | calls × pages | short of requests | of the full rate |")
    print("|---|---|---|---|---|")
    for rate, questions in itertools.product((10, 20, 50), (1, 3)):
        for calls, block in ((3, UNITS_PER_BLOCK), (CALLS_PER_GPU, UNITS_PER_GPU_BLOCK)):
            full = fullness(calls, block, questions, rate)
            print(f"| {rate} | {questions} | {calls} × {block} | {full.short:.0%} | {full.rate:.0%} |")


def fullness(calls: int, block: int, questions: int, rate: float) -> Fullness:
    """Let `calls` work off BLOCKS blocks of one-page documents, and return how full the device was past the first of each call."""
    rng, number = random.Random(0), itertools.count()  # noqa: S311 - no secret
    mean_s = FILL / (rate * questions)
    events: list[tuple[float, int, str, int]] = []
    drawing, waiting = deque(range(calls)), deque[int]()
    left, open_, at_work, answered = [0] * calls, BLOCKS, 0, 0
    now = short = total = work = 0.0
    cores = CORES
    while True:
        while drawing and cores and open_:
            cores, open_, call = cores - 1, open_ - 1, drawing.popleft()
            heapq.heappush(events, (now + block * DRAW_S, next(number), "drawn", call))
        while waiting and at_work < FILL:
            at_work, call = at_work + 1, waiting.popleft()
            heapq.heappush(events, (now + mean_s * rng.uniform(0.5, 1.5), next(number), "answered", call))
        if not open_:  # from here on there is less and less to do
            return Fullness(short / total, work / (total * FILL))
        then, _, what, call = heapq.heappop(events)
        if answered > calls * block * questions:
            total, work = total + then - now, work + (then - now) * at_work
            short += (then - now) * (at_work + len(waiting) < FILL)
        now = then
        if what == "drawn":
            cores, left[call] = cores + 1, block * questions
            waiting.extend([call] * left[call])
            continue
        at_work, answered, left[call] = at_work - 1, answered + 1, left[call] - 1
        if not left[call]:
            drawing.append(call)


if __name__ == "__main__":
    main()
