"""The gate before a served model: it must say what the reference says.

The reference is the transformers engine. Its answers to the exam are worked out once for each (checkpoint, transformers, torch, device
kind, dtype) and kept; every start of a served engine replays them. `python -m pipeline.engines.parity` works them out in a process of
its own, because a GPU's memory is wholly given back only when its process ends. Nothing here knows vLLM.
"""

import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from pipeline.engines import exam
from pipeline.engines.base import Engine
from pipeline.engines.description import Description, describe
from pipeline.engines.weights import cache_folder, checkpoint_hash
from pipeline.errors import CheckpointError, PagemillError, ParityError
from schemas.job import Model
from schemas.view import Completion


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a served answer may be from the reference's.

    `logprob` bounds each agreed token's difference (natural logarithm). Where `ties`, an answer may part from the reference at a token
    that both find equally likely, within `logprob`; what follows is then another text, and is not compared.
    """

    logprob: float
    ties: bool


# Measured on a CPU, on random weights, whose probabilities are peakier than a trained checkpoint's: float32 differs by up to 0.0002,
# bfloat16 by up to 0.21. The faults that the gate is there for differ by 1 and more.
TOLERANCES = {"float32": Tolerance(logprob=0.001, ties=False), "bfloat16": Tolerance(logprob=0.3, ties=True)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reference said to one question."""

    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference's answers, and what they were worked out with."""

    checkpoint_hash: str
    transformers: str
    torch: str
    device: str
    dtype: str
    exam: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an answer leaves the reference: at `position`, in tokens from 0; a log-probability is None where there is no such token."""

    question: int
    prompt: str
    position: int
    reason: str
    reference_text: str
    served_text: str
    reference_logprob: float | None
    served_logprob: float | None

    def __str__(self) -> str:
        return (
            f"question {self.question} ({self.prompt!r}), token {self.position}: {self.reason}\n"
            f"    reference {_shown(self.reference_logprob)} {self.reference_text!r}\n"
            f"    served    {_shown(self.served_logprob)} {self.served_text!r}"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of an examination."""

    engine: str
    reference: Reference
    tolerance: Tolerance
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        against = self.reference
        on = f"{against.dtype} on {against.device}, log-probabilities within {self.tolerance.logprob}"
        if self.agrees:
            return f"{self.engine} computes what transformers {against.transformers} computes with this checkpoint ({on})"
        return (
            f"{self.engine} does not compute what transformers {against.transformers} computes with this checkpoint ({on}):\n"
            + "\n".join(map(str, self.differences))
        )


def reference(model: Model, description: Description, cache: Path | None = None) -> Reference:
    """Return the reference's answers for a checkpoint on this machine's kind of device, from `cache` or worked out now.

    Raises CheckpointError where transformers cannot load or run the checkpoint here.
    """
    wanted = _wanted(model, description)
    kept = (cache or cache_folder()) / "parity" / f"{_key(wanted)}.json"
    if (found := _read(kept, wanted)) is not None:
        return found
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "reference.json"
        _work_out_apart(model, description, result)
        worked_out = _read(result, wanted)
        if worked_out is None:
            raise CheckpointError(
                f"the reference was worked out for something else than {wanted}: do two installations mix here?"
            )
        _keep(result, kept)
    return worked_out


def work_out(model: Model, description: Description) -> Reference:
    """Return the transformers engine's answers, asked in this process."""
    from pipeline.engines.transformers import TransformersEngine

    engine = TransformersEngine(model.model_copy(update={"engine": "transformers", "tensor_parallel": 1}), description)
    try:
        completions = engine.generate(exam.requests(description.resolution))
    finally:
        engine.close()
    if failed := [completion.error for completion in completions if completion.finish_reason == "error"]:
        raise CheckpointError(f"the reference cannot answer with {description.folder}: {failed[0]}")
    answers = tuple(Answer(completion.text, completion.token_ids, completion.logprobs) for completion in completions)
    return Reference(**_wanted(model, description), answers=answers)


def examine(engine: Engine, wanted: Reference) -> Verdict:
    """Ask an engine the exam and hold its answers against the reference's."""
    completions = engine.generate(exam.requests(engine.resolution))
    return Verdict(engine.name, wanted, TOLERANCES[wanted.dtype], tuple(differences(wanted, completions)))


def require(engine: Engine, wanted: Reference) -> None:
    """Raise ParityError, showing what differs, unless the engine answers the exam as the reference does."""
    verdict = examine(engine, wanted)
    if not verdict.agrees:
        raise ParityError(str(verdict))


def differences(wanted: Reference, completions: Sequence[Completion]) -> list[Difference]:
    """Return where the completions leave the reference by more than its dtype's tolerance: the first place of each answer."""
    found = []
    for question, (answer, completion) in enumerate(zip(wanted.answers, completions, strict=True)):
        for position, reason in _departures(answer, completion, TOLERANCES[wanted.dtype]):
            found.append(_difference(question, position, reason, answer, completion))
            break
    return found


def _departures(answer: Answer, completion: Completion, tolerance: Tolerance) -> Iterator[tuple[int, str]]:
    """Yield the positions at which a completion is not the reference's answer, and why."""
    if completion.finish_reason == "error":
        yield 0, f"it failed: {completion.error}"
        return
    for position, (right, said) in enumerate(zip(answer.token_ids, completion.token_ids, strict=False)):
        apart = abs(answer.logprobs[position] - completion.logprobs[position])
        if right != said:
            if not (tolerance.ties and _tied(answer.logprobs[position], completion.logprobs[position], tolerance.logprob)):
                yield position, f"another token ({said}, not {right})"
            return
        if not apart <= tolerance.logprob:  # so that NaN is a difference
            yield position, f"the log-probability differs by {apart:.4f}, and {tolerance.logprob} is allowed"
    if len(answer.token_ids) != len(completion.token_ids):
        shorter = min(len(answer.token_ids), len(completion.token_ids))
        yield shorter, f"{len(completion.token_ids)} tokens, not {len(answer.token_ids)}"


def _tied(one: float, other: float, within: float) -> bool:
    """Return whether two tokens may be equally likely: alike, and neither likelier than one half."""
    return abs(one - other) <= within and max(one, other) <= math.log(0.5) + within


def _difference(question: int, position: int, reason: str, answer: Answer, completion: Completion) -> Difference:
    return Difference(
        question=question,
        prompt=exam.PROMPTS[question][1],
        position=position,
        reason=reason,
        reference_text=answer.text,
        served_text=completion.text,
        reference_logprob=_at(answer.logprobs, position),
        served_logprob=_at(completion.logprobs, position),
    )


def _at(logprobs: Sequence[float], position: int) -> float | None:
    return logprobs[position] if position < len(logprobs) else None


def _shown(logprob: float | None) -> str:
    return "       –" if logprob is None else f"{logprob:8.4f}"


def _wanted(model: Model, description: Description) -> dict[str, str]:
    """Return all that the reference's answers depend on."""
    return {
        "checkpoint_hash": checkpoint_hash(description.folder),
        "transformers": version("transformers"),
        "torch": torch.__version__,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "dtype": model.dtype,
        "exam": exam.digest(description.resolution),
    }


def _key(wanted: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


def _read(path: Path, wanted: dict[str, str]) -> Reference | None:
    """Return the reference in a file, or None where there is none, it is damaged, or it is of something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        answers = tuple(Answer(a["text"], tuple(a["token_ids"]), tuple(a["logprobs"])) for a in content.pop("answers"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Reference(**wanted, answers=answers) if content == wanted and len(answers) == len(exam.PROMPTS) else None


def _write(worked_out: Reference, path: Path) -> None:
    path.write_text(json.dumps(asdict(worked_out), indent=1), encoding="utf-8")


def _work_out_apart(model: Model, description: Description, result: Path) -> None:
    """Work the reference out in a process of its own, into `result`."""
    command = [sys.executable, "-m", "pipeline.engines.parity", str(description.folder), str(result)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    done = subprocess.run(command, input=model.model_dump_json(), capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    if done.returncode != 0:
        raise CheckpointError(f"the reference's answers cannot be worked out here: {done.stderr.strip()[-2000:]}")


def _keep(result: Path, kept: Path) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        scratch = kept.with_suffix(f".{os.getpid()}")
        scratch.write_bytes(result.read_bytes())
        scratch.replace(kept)
    except OSError:
        pass  # a home that can't be written costs time at every start, not truth


def _main(folder: Path, result: Path) -> None:
    try:
        _write(work_out(Model.model_validate_json(sys.stdin.read()), describe(folder)), result)
    except PagemillError as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]))
