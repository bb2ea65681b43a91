"""Processes that learn together, without Ray: torch's own process group between two of them."""

import json
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
import torch

from jobs.train.company import WHOLE, Part
from jobs.train.examples import Example
from jobs.train.lessons import batches
from jobs.train.loop import Plan, learn
from jobs.train.suffix import Said
from pipeline.engines.description import describe
from pipeline.engines.vocabulary import Vocabulary

STEPS = 5
_ONE_OF_TWO = """
import json, sys
from pathlib import Path
import torch
import torch.distributed as dist
from jobs.train.company import Group
from jobs.train.loop import learn
sys.path.insert(0, sys.argv[1])
from test_company import course, plan

rank, meeting, out = int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
said, taught = [], course()
stopped = learn(taught, plan(out / "state.pt", rank, 2), torch.device("cpu"), said.append, 1e-9 if rank else 60.0, company=Group())
dist.barrier()  # the first has written its state
progress = learn(taught, plan(out / "state.pt", rank, 2), torch.device("cpu"), said.append, company=Group())
print(json.dumps([progress.losses, stopped.step, len(said), taught.weight.tolist()]))
dist.destroy_process_group()
"""


class Numbers(list[float]):
    """A batch."""

    def to(self, device: torch.device) -> "Numbers":
        """Stay."""
        del device
        return self


class course(torch.nn.Linear):  # noqa: N801 - it is called like a function
    """A line through numbers and their doubles."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        torch.nn.init.constant_(self.weight, 0.5)
        torch.nn.init.zeros_(self.bias)

    def forward(self, batch: Numbers) -> Said:
        x = torch.tensor(batch)[:, None]
        loss = (super().forward(x) - 2 * x).square().mean()
        return Said(loss, torch.tensor(len(batch)), len(batch))


def plan(path, rank: int, of: int) -> Plan:
    """Return steps over two batches each, of which a process of two takes one."""

    def feed(step: int):
        for number in range(2 * step, 1000):
            if number % of == rank:
                yield Numbers([float(number), 1.0])

    return Plan("test", STEPS, feed, lambda _: 0.05, path, accumulate=2 // of)


def test_two_take_the_steps_of_one(tmp_path) -> None:
    """Gradients and losses meet in their means, one process writes and speaks, and where time is up for one it is for both."""
    alone = course()
    whole = learn(alone, plan(tmp_path / "alone.pt", 0, 1), torch.device("cpu"), lambda _: None)
    here = __file__.rsplit("/", 1)[0]
    arguments = [[here, str(rank), str(tmp_path / "meeting"), str(tmp_path)] for rank in (0, 1)]
    both = [
        subprocess.Popen([sys.executable, "-c", _ONE_OF_TWO, *each], stdout=subprocess.PIPE, text=True) for each in arguments
    ]
    first, second = (json.loads(process.communicate(timeout=240)[0]) for process in both)
    assert first[0] == pytest.approx(whole.losses, rel=1e-4)
    assert first[0] == second[0]
    assert first[1] == second[1] == 1
    assert first[2] > 0 == second[2]
    assert first[3] == second[3]
    assert first[3][0] == pytest.approx(alone.weight[0].tolist(), rel=1e-4)


def test_parts_make_the_whole(tiny, pictures, tmp_path) -> None:
    """The batches of two parts, turn by turn, are those of one process; also from the middle on."""
    np.save(tmp_path / "0.npy", pictures(1, 56)[0])
    examples = [Example("0.npy", (1, 0, 0, 1, 0, 0), "x", 0, "ocr", "ocr", str(number)) for number in range(7)]
    vocabulary = Vocabulary.load(describe(tiny()))

    def ids(part: Part, start: int, count: int) -> list[torch.Tensor]:
        feed = batches(vocabulary, examples, tmp_path, size=2, seed=3, start=start, part=part)
        return [batch.rows.ids for batch in islice(feed, count) if batch.rows]

    whole = ids(WHOLE, 0, 12)
    for start in (0, 4):
        halves = zip(ids(Part(0, 2), start, 4), ids(Part(1, 2), start, 4), strict=True)
        assert all(torch.equal(a, b) for a, b in zip([each for pair in halves for each in pair], whole[start:], strict=False))
