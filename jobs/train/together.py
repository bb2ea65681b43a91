"""Several processes teach one model with Ray Train, a GPU each where there are any. All of them must reach the work folder.

It is the adapter to Ray Train: what a process does is course.py's, how gradients meet is company.py's.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch

from jobs.train.company import Group, Part
from jobs.train.course import Tuning, prepare, teach
from jobs.train.loop import Progress
from pipeline import cluster
from pipeline.errors import RunError
from schemas.job import Workers

_RETRIES = 3
"""So often a lost process may be replaced; all then go on from the last state."""
_CPUS = 0.5
_LOOK_EVERY_S = 0.5


def teach_together(tuning: Tuning, result: Path, work: Path, say: Callable[[str], None], minutes: float) -> Progress:
    """Teach as `course.teach` does, by `tuning.workers` processes; the labels' views must have been rendered into `work`.

    Raises RunError where the processes fail more often than they are begun anew.
    """
    import ray.train
    from ray.train.torch import TorchConfig, TorchTrainer

    cluster.connect(Workers())
    gpus = bool(ray.cluster_resources().get("GPU"))  # type: ignore[no-untyped-call]
    spoken = work.resolve() / "progress.log"
    spoken.touch()
    threads = max(1, torch.get_num_threads() // tuning.workers)
    trainer = TorchTrainer(
        partial(_process, tuning, result.resolve(), work.resolve(), spoken, minutes, threads),  # type: ignore[arg-type]
        torch_config=TorchConfig(backend="nccl" if gpus else "gloo"),
        scaling_config=ray.train.ScalingConfig(
            num_workers=tuning.workers, use_gpu=gpus, resources_per_worker=None if gpus else {"CPU": _CPUS}
        ),
        run_config=ray.train.RunConfig(
            name="ray",
            storage_path=str(work.resolve()),
            failure_config=ray.train.FailureConfig(max_failures=_RETRIES),
        ),
    )
    with _heard(spoken, say):
        try:
            done: Progress = trainer.fit().return_value  # type: ignore[attr-defined]
        except ray.train.TrainingFailedError as exc:
            raise RunError(f"the processes that learn together failed: {exc}") from exc
    return done


def _process(tuning: Tuning, result: Path, work: Path, spoken: Path, minutes: float, threads: int) -> Progress:
    """What each process does; what the first returns is the trainer's."""
    import ray.train

    torch.set_num_threads(threads)
    context = ray.train.get_context()
    part = Part(context.get_world_rank(), context.get_world_size())
    with spoken.open("a", encoding="utf-8", buffering=1) as file:

        def say(line: str) -> None:
            file.write(f"{line}\n")

        return teach(tuning, prepare(tuning, work, lambda _: None), result, work, say, minutes, part, Group())


@contextmanager
def _heard(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Say the lines that come to stand in a file while the block runs."""
    over = threading.Event()

    def listen() -> None:
        with path.open(encoding="utf-8") as file:
            file.seek(0, 2)
            while not over.wait(_LOOK_EVERY_S):
                for line in file:
                    say(line.rstrip())
            for line in file:
                say(line.rstrip())

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield
    finally:
        over.set()
        listener.join()
