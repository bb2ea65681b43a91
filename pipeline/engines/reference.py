"""What the transformers engine answers to the exam: worked out once for each checkpoint, kept, and taken for right.

Its answers depend on (checkpoint, transformers, torch, device kind, dtype, exam), and are kept under all of these.
`python -m pipeline.engines.reference` works them out in a process of its own, because a GPU's memory is wholly given back only when
its process ends. How near a served model must come to them is parity.py's to say.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from pipeline.engines import exam
from pipeline.engines.description import Description, describe
from pipeline.engines.weights import cache_folder, checkpoint_hash
from pipeline.errors import CheckpointError, PagemillError
from schemas.job import Model
from schemas.view import Completion


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reference said to one question; `margins` are the leads of its tokens over the next best, as in a Completion."""

    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    margins: tuple[float, ...]

    @classmethod
    def of(cls, completion: Completion) -> "Answer":
        return cls(completion.text, completion.token_ids, completion.logprobs, completion.margins)


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

    engine = TransformersEngine(
        model.model_copy(update={"engine": "transformers", "tensor_parallel": 1, "quantization": None}), description
    )
    try:
        completions = engine.generate(exam.requests(description.resolution))
    finally:
        engine.close()
    if failed := [completion.error for completion in completions if completion.finish_reason == "error"]:
        raise CheckpointError(f"the reference cannot answer with {description.folder}: {failed[0]}")
    answers = tuple(map(Answer.of, completions))
    return Reference(**_wanted(model, description), answers=answers)


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
        answers = tuple(
            Answer(a["text"], tuple(a["token_ids"]), tuple(a["logprobs"]), tuple(a["margins"])) for a in content.pop("answers")
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Reference(**wanted, answers=answers) if content == wanted and len(answers) == len(exam.PROMPTS) else None


def _write(worked_out: Reference, path: Path) -> None:
    path.write_text(json.dumps(asdict(worked_out), indent=1), encoding="utf-8")


def _work_out_apart(model: Model, description: Description, result: Path) -> None:
    """Work the reference out in a process of its own, into `result`."""
    command = [sys.executable, "-m", "pipeline.engines.reference", str(description.folder), str(result)]
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
