"""Steps of an optimizer over batches, resumable: the same for every stage of the embedded checkpoint and for fine-tuning.

It knows neither pages nor models: a course is any module that turns a batch into a loss.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import torch
from torch import nn

from jobs.train.company import ALONE, Company
from jobs.train.optimizers import MuonAndAdamW, adamw
from jobs.train.state import State, read_state, write_state
from jobs.train.suffix import Said

_SAY_EVERY = 50


class Sendable(Protocol):
    """A batch that can be put on a device."""

    def to(self, device: torch.device) -> "Sendable":
        """Return it there."""


B = TypeVar("B", bound=Sendable)


@dataclass(frozen=True, slots=True)
class Plan(Generic[B]):
    """How long and how fast to learn.

    `batches(start)` yields the batches of micro-steps from optimizer step `start`, `accumulate` of them a step; `rate` gives a step's
    learning rate; `state_path` is where the state is kept. `half` runs the forward pass in bfloat16. `muon` lets Muon teach the
    matrices of the layers: for models that begin with nothing, not for adapting ones that can read.
    """

    name: str
    steps: int
    batches: Callable[[int], Iterator[B]]
    rate: Callable[[int], float]
    state_path: Path
    decay: float = 0.0
    clip: float = 1.0
    accumulate: int = 1
    half: bool = False
    muon: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a course stands: `losses` one a step, `accuracy` of the last steps, whether it is `done`."""

    step: int
    seconds: float
    losses: tuple[float, ...]
    accuracy: float
    done: bool


def learn(
    course: nn.Module,
    plan: Plan[B],
    device: torch.device,
    say: Callable[[str], None],
    minutes: float = math.inf,
    keep_every_s: float = 180.0,
    company: Company = ALONE,
) -> Progress:
    """Go on from the state on disk until the last step, or for so many minutes; the state is written every few and at the end.

    In company, each process is given its own part of the batches, all take the same steps, and the first one writes and says.
    Raises ArithmeticError when the loss is no longer a number: the state then is the last good one.
    """
    learning = [parameter for parameter in course.parameters() if parameter.requires_grad]
    optimizer = (MuonAndAdamW if plan.muon else adamw)(course, plan.rate(0), plan.decay)
    start, spent, losses = _resumed(course, optimizer, plan.state_path, device)
    if start and company.first:
        say(f"{plan.name}: going on from step {start} of {plan.steps}")
    begun = kept = time.monotonic()
    recent: list[_Told] = []
    step, feed = start, plan.batches(start) if start < plan.steps else iter(())
    late = minutes <= 0
    while step < plan.steps and not late:
        for group in optimizer.param_groups:
            group["lr"] = plan.rate(step)
        said = [_one(course, next(feed), plan, device) for _ in range(plan.accumulate)]
        company.mean([parameter.grad for parameter in learning if parameter.grad is not None])
        told, late = _together(company, _told(said), device, late=time.monotonic() - begun > 60 * minutes)
        if not math.isfinite(told.loss):
            raise ArithmeticError(f"{plan.name}: the loss at step {step + 1} is {told.loss}; lower the learning rate")
        nn.utils.clip_grad_norm_(learning, plan.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        recent = [*recent[-_SAY_EVERY + 1 :], told]
        losses.append(told.loss)
        if company.first and step % min(_SAY_EVERY, max(1, plan.steps // 10)) == 0:
            say(_line(plan, step, recent, spent + time.monotonic() - begun))
        if company.first and time.monotonic() - kept > keep_every_s:
            _keep(course, optimizer, plan.state_path, step, spent + time.monotonic() - begun, losses)
            kept = time.monotonic()
    seconds = spent + time.monotonic() - begun
    if step > start and company.first:
        _keep(course, optimizer, plan.state_path, step, seconds, losses)
    return Progress(step, seconds, tuple(losses), _accuracy(recent), step >= plan.steps)


def _one(course: Callable[..., Said], batch: B, plan: Plan[B], device: torch.device) -> Said:
    """Run one batch forwards and backwards."""
    with torch.autocast(device.type, torch.bfloat16, enabled=plan.half):
        said = course(batch.to(device))
    (said.loss / plan.accumulate).backward()  # type: ignore[no-untyped-call]
    return said


@dataclass(frozen=True, slots=True)
class _Told:
    """How a step went: the mean loss, how many tokens were right, and of how many."""

    loss: float
    right: float
    asked: float


def _told(said: list[Said]) -> _Told:
    return _Told(
        sum(float(each.loss.detach()) for each in said) / len(said),
        sum(float(each.right) for each in said),
        sum(float(each.asked) for each in said),
    )


def _together(company: Company, told: _Told, device: torch.device, *, late: bool) -> tuple[_Told, bool]:
    """Return how the step went for all, and whether time is up for any: then it is for each, at the same step."""
    shared = torch.tensor([told.loss, told.right, told.asked, float(late)], device=device)
    company.mean([shared])
    loss, right, asked, late_share = shared.tolist()
    return _Told(loss, right, asked), late_share > 0


def _resumed(
    course: nn.Module, optimizer: torch.optim.Optimizer | MuonAndAdamW, path: Path, device: torch.device
) -> tuple[int, float, list[float]]:
    state = read_state(path, device)
    if state is None:
        return 0, 0.0, []
    load_learning(course, state)
    optimizer.load_state_dict(state.optimizer)
    return state.step, state.seconds, list(state.losses)


def load_learning(course: nn.Module, state: State) -> None:
    """Put the weights that were being taught back into the course."""
    course.load_state_dict(state.weights, strict=False)


def _keep(
    course: nn.Module,
    optimizer: torch.optim.Optimizer | MuonAndAdamW,
    path: Path,
    step: int,
    seconds: float,
    losses: list[float],
) -> None:
    """Write what is being taught; frozen weights come from the checkpoint again."""
    weights = {name: weight.detach() for name, weight in course.named_parameters() if weight.requires_grad}
    write_state(path, State(step, seconds, weights, optimizer.state_dict(), list(losses)))


def _accuracy(recent: list[_Told]) -> float:
    return sum(each.right for each in recent) / max(1.0, sum(each.asked for each in recent))


def _line(plan: Plan[B], step: int, recent: list[_Told], seconds: float) -> str:
    loss = sum(each.loss for each in recent) / len(recent)
    return (
        f"{plan.name}: step {step} of {plan.steps}, loss {loss:.3f}, right {_accuracy(recent):.1%}, {seconds / 60:.1f} minutes"
    )
