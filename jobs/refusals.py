"""Combinations that no run can satisfy, and what is not there yet: refused in this one place, before anything starts.

What a single key may hold is schemas.job's to say; what a checkpoint can do is the engine's, once it is open.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from jobs.yamlfile import Path
from pipeline.engines.quantization import why_not_quantized
from pipeline.errors import JobError, StorageError
from pipeline.redact import redact
from pipeline.storage import canonical
from schemas.job import AnswerTask, Job, RawTask, ReferTask, Sink, Task

Refusal = tuple[Path, str]


def refusals(job: Job) -> list[Refusal]:
    """Return where the job asks for what cannot be, each with what to do."""
    return [*_of_places(job), *_of_model(job), *_of_ladder(job), *_of_canary(job), *_of_tasks(job), *_of_workers(job)]


def _of_places(job: Job) -> Iterator[Refusal]:
    uris = {("source", "uri"): job.source.uri, ("source", "inventory"): job.source.inventory, ("sink", "uri"): job.sink.uri}
    yield from ((path, said) for path, uri in uris.items() if uri and (said := _unreachable(uri)))
    named = {**uris, ("model", "checkpoint"): job.model.checkpoint, ("model", "adapter"): job.model.adapter}
    for path, uri in named.items():
        if uri and redact(uri) != uri:
            message = "this holds a credential or a signature, and would be kept with the results: name the place alone, as s3://bucket/key"
            yield path, message
    yield from _of_catalog(job.sink)


def _of_catalog(sink: Sink) -> Iterator[Refusal]:
    catalog = sink.catalog
    if sink.format == "iceberg" and any(odd in sink.uri for odd in "%#?"):
        yield (
            ("sink", "uri"),
            "Iceberg tables cannot lie where a name holds one of % # ?: engines disagree on how it is spelled",
        )
    if catalog is None:
        return
    if sink.format != "iceberg":
        yield ("sink", "catalog"), "a catalog goes with `format: iceberg`"
    if catalog.type == "rest" and not catalog.uri:
        yield ("sink", "catalog", "uri"), "a REST catalog needs the `uri` of its service"
    if catalog.type == "sqlite" and (catalog.uri or catalog.warehouse):
        yield ("sink", "catalog"), "the SQLite catalog is always `catalog.db` in the sink: leave out `uri` and `warehouse`"
    if catalog.type == "glue" and (catalog.uri or catalog.warehouse):
        message = (
            "AWS Glue is found as every AWS tool finds it (AWS_REGION, AWS_PROFILE, a role): leave out `uri` and `warehouse`"
        )
        yield ("sink", "catalog"), message
    if any("@" in urlsplit(uri).netloc or redact(uri) != uri for uri in (catalog.uri, catalog.warehouse) if uri):
        message = "credentials do not belong in a job file: PyIceberg takes them from PYICEBERG_CATALOG__PAGEMILL__CREDENTIAL or …__TOKEN"
        yield ("sink", "catalog", "uri"), message


def _unreachable(uri: str) -> str | None:
    try:
        canonical(uri)
    except StorageError as error:
        return str(error)
    return None


def _of_model(job: Job) -> Iterator[Refusal]:
    model = job.model
    if model.tensor_parallel > 1 and model.engine != "vllm":
        yield ("model", "tensor_parallel"), f"only `engine: vllm` spreads a model over GPUs; {model.engine} takes 1"
    elif model.tensor_parallel > 1 and not job.workers.gpus:
        yield ("model", "tensor_parallel"), "it spreads a model over GPUs, and none are given: set `workers.gpus`"
    if model.revision and (model.checkpoint == "embedded" or model.checkpoint.startswith(("s3://", "/", "."))):
        yield ("model", "revision"), "a revision goes with a model hub's id; folders, s3:// prefixes and `embedded` have none"
    if model.adapter and model.engine == "scripted":
        yield ("model", "adapter"), "the scripted engine has no weights to adapt"
    if reason := why_not_quantized(model.quantization, model.engine, model.dtype):
        yield ("model", "quantization"), reason


def _of_ladder(job: Job) -> Iterator[Refusal]:
    ladder, model = job.render.ladder, job.model.checkpoint
    for index, rung in enumerate(ladder):
        if rung in ladder[:index]:
            yield ("render", "ladder", index), "this rung stands twice: the same view would get the same answer"
        same = [each for each in ladder[:index] if (each.checkpoint or model) == (rung.checkpoint or model)]
        if job.model.engine != "scripted" and any(each.resolution != rung.resolution for each in same):
            message = (
                "a checkpoint reads views of one resolution: name the `checkpoint` of this rung, one that reads its resolution"
            )
            yield ("render", "ladder", index), message


def _of_canary(job: Job) -> Iterator[Refusal]:
    if job.canary is None:
        return
    from jobs.evaluate.accept import bound  # scores need numpy, and most jobs have no canary

    if said := _unreachable(job.canary.uri):
        yield ("canary", "uri"), said
    for index, text in enumerate(job.canary.accept):
        try:
            bound(text)
        except JobError as error:
            yield ("canary", "accept", index), str(error).removeprefix("--accept ")


def _of_tasks(job: Job) -> Iterator[Refusal]:
    seen: set[object] = set()
    for index, task in enumerate(job.tasks):
        if (identity := _identity(task)) in seen:
            yield (
                ("tasks", index),
                f"a task `{task.type}` like this stands above already: put them into one, as results could not be told apart",
            )
        seen.add(identity)


def _identity(task: Task) -> object:
    """Return what no two tasks may share, as their results would stand under one key (pipeline.tasks.asks)."""
    if isinstance(task, RawTask):
        return task.type, task.name
    if isinstance(task, ReferTask):
        from pipeline.tasks.refer import slug  # it takes numpy along

        return task.type, slug(task.phrase)
    return task if isinstance(task, AnswerTask) else task.type  # the names of fields are the job's to hold apart


def _of_workers(job: Job) -> Iterator[Refusal]:
    workers = job.workers
    if 0 < workers.gpus < workers.gpus_per_worker:
        message = f"a worker takes {workers.gpus_per_worker:g} GPUs and {workers.gpus:g} are given: no worker could start"
        yield ("workers", "gpus_per_worker"), message
    if workers.gpus_per_worker > 1 and workers.gpus_per_worker % 1:
        yield ("workers", "gpus_per_worker"), f"a worker has a part of one GPU or whole ones, not {workers.gpus_per_worker:g}"
    if workers.gpus and job.model.tensor_parallel > workers.gpus_per_worker:
        message = f"`tensor_parallel: {job.model.tensor_parallel}` needs as many GPUs a worker, not {workers.gpus_per_worker:g}"
        yield ("workers", "gpus_per_worker"), message
