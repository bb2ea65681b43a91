"""Job files: what is right loads, and everything that is wrong is told at once, with its place and its cure."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.jobfile import ADHOC_SINK, adhoc, load, with_sink
from jobs.yamlfile import parse
from pipeline.errors import JobError
from schemas.job import Job

EVERY_KEY = """
name: invoices-nightly
source: {uri: s3://inbox/, include: ["**/*.pdf"], exclude: [], inventory: null, passwords: env:PDF_PASSWORDS}
model: {checkpoint: s3://models/pg2-3b-448, revision: null, engine: vllm, dtype: bfloat16, adapter: null, tensor_parallel: 1}
render:
  text_layer: prefer
  ladder:
    - {resolution: 448, tiles: none}
    - {resolution: 448, tiles: whitespace}
    - {resolution: 896, tiles: whitespace, checkpoint: s3://models/pg2-3b-896}
tasks:
  - {type: ocr}
  - type: answer
    lang: en
    fields:
      - {name: number, question: "what is the invoice number?", type: string, required: true}
      - {name: total, question: "what is the total?", type: money}
  - {type: detect, labels: [signature, stamp]}
limits: {bytes: 200MB, pages: 20000, pixels: 400M, seconds_per_page: 30, memory: 2GB}
accept: {max_reject_rate: 0.02}
stop: {deadline: 7h, budget: {requests: 2M, tokens: 400M}}
workers: {gpus: 4, gpus_per_worker: 1, cpus: 32, shard: "1/1"}
sink: {uri: s3://lake/invoices, format: parquet}
"""
MINIMAL = "name: j\nsource: {uri: in}\nsink: {uri: out}\n"


@pytest.fixture
def write(tmp_path):
    def written(text: str) -> Path:
        path = tmp_path / "job.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def complaints(write):
    def of(text: str) -> list[str]:
        """Return the error's lines without the folder."""
        path = write(text)
        with pytest.raises(JobError) as raised:
            load(path)
        return [line.replace(str(path), "job.yaml") for line in str(raised.value).splitlines()]

    return of


def test_a_job_of_every_key_loads(write):
    """The design's job file, with every key in it, is accepted; quantities are numbers, lists are tuples, and every task is of its type."""
    job = load(write(EVERY_KEY))
    assert job.limits.bytes == 200_000_000
    assert job.limits.memory == 2 * 10**9
    assert (job.stop.deadline, job.stop.budget.requests, job.stop.budget.tokens) == (25_200, 2 * 10**6, 4 * 10**8)
    assert job.source.include == ("**/*.pdf",)
    assert [task.type for task in job.tasks] == ["ocr", "answer", "detect"]


def test_defaults_are_the_schemas(write):
    """A file of three keys gets every default that the schema has, and no other."""
    assert load(write(MINIMAL)) == Job.model_validate({"name": "j", "source": {"uri": "in"}, "sink": {"uri": "out"}})


def test_everything_wrong_is_told_at_once_in_the_files_order(complaints):
    """One line for each thing that is wrong, sorted by line, each with file, line and key."""
    told = complaints(
        "name: two words\n"
        "source: {uri: in, includes: [a]}\n"
        "model: {engine: vlm}\n"
        "tasks:\n"
        "  - type: answer\n"
        "    fields:\n"
        "      - {name: total, question: what, type: mony}\n"
        "sink: {}\n"
    )
    places = [line.split(": ")[:2] for line in told]
    assert places == [
        ["job.yaml:1", "name"],
        ["job.yaml:2", "source.includes"],
        ["job.yaml:3", "model.engine"],
        ["job.yaml:7", "tasks[0].fields[0].type"],
        ["job.yaml:8", "sink.uri"],
    ]
    assert told[1].endswith("did you mean `include`?")
    assert told[2].endswith("did you mean vllm?")
    assert told[3].endswith("did you mean money?")
    assert told[4].endswith("this key is required")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("text_layer: prefer", "text_layer: unknown key here; it belongs under `render`"),
        ("model: {uri: x}", "model.uri: unknown key here; it belongs under `source`"),
        ("model: {zzz: 1}", "model.zzz: unknown key; known here: adapter, checkpoint, dtype, engine"),
        ("render: {ladder: [{resolution: 512}]}", "render.ladder[0].resolution: 512 is not one of 224, 448, 896"),
        ("render: {ladder: []}", "render.ladder: tuple should have at least 1 item"),
        ("tasks: [{type: ocrr}]", "tasks[0]: `type` 'ocrr' is not one of answer, caption"),
        ("tasks: [{labels: [a]}]", "tasks[0]: `type` is required, one of answer"),
        ("tasks: [{type: detect, labels: [a], label: b}]", "tasks[0].label: unknown key; did you mean `labels`?"),
        ("tasks: [{type: detect, labels: stamp}]", "tasks[0].labels: a list is expected here"),
        (
            "tasks: [{type: question, answer: 5}]",
            "tasks[0].answer: a text is expected here: YAML reads the unquoted 5 as the number 5",
        ),
        ("tasks: [{type: caption, box: [0, 0, 1]}]", "tasks[0].box[3]: a value is missing here"),
        ("tasks: ocr", "tasks: a list is expected here"),
        ("render: ignore", "render: a mapping of keys is expected here"),
        ("limits: {bytes: lots}", "limits.bytes: a whole number is expected here, without quotes, or with a unit"),
        ("limits: {pages: 0}", "limits.pages: input should be greater than 0, not 0"),
        ("limits: {pages: true}", "limits.pages: a whole number is expected here"),
        ("stop: {deadline: 8 hours}", "stop.deadline: a time is expected here: 90s, 45min or 8h"),
        (
            "stop: {budget: {tokens: many}}",
            "stop.budget.tokens: a whole number is expected here, without quotes, or with a unit",
        ),
        ("accept: {max_reject_rate: .inf}", "accept.max_reject_rate: input should be"),
        ("workers: {shard: 3/2}", "workers: shard 3/2: the first number counts from 1 to the second"),
        ("tasks: [{type: answer, fields: [{name: a, question: b, type: enum}]}]", "`choices` goes with `type: enum`"),
    ],
)
def test_what_a_key_may_hold_is_said_in_words(complaints, line, said):
    """Each kind of mistake names its key and what is expected there, for the chosen task type alone."""
    told = complaints(MINIMAL + line)
    assert len(told) == 1
    assert said in told[0]
    assert told[0].startswith("job.yaml:4: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: [{type: answer, fields: [{name: a, question: what is it?, type: date}]}]", "an unquoted `?` ends a value"),
        ("tasks: [{type: caption, lang: no}]", 'YAML reads the unquoted no as false; put it in quotes: "no"'),
        ("tasks: [{type: raw, name: on, prompt: x}]", 'YAML reads the unquoted on as true; put it in quotes: "on"'),
        (
            "tasks: [{type: raw, name: 1.10, prompt: x}]",
            'YAML reads the unquoted 1.10 as the number 1.1; put it in quotes: "1.10"',
        ),
        (
            "tasks: [{type: raw, name: 2026-11-21, prompt: x}]",
            'reads the unquoted 2026-11-21 as a date; put it in quotes: "2026-11-21"',
        ),
        ("tasks: [{type: raw, name: , prompt: x}]", "nothing stands here, which YAML reads as null"),
        ("tasks:\n  - type: raw\n    prompt: total: in euros", "an unquoted value may hold no `: `"),
        ("tasks:\n  - type: raw\n    prompt: ? what", "an unquoted value may not begin with `? `"),
        ("tasks:\n\t- {type: ocr}", "YAML allows no tabs"),
        ("limits: {seconds_per_page: 1:30}", "YAML 1.1 reads the unquoted 1:30 as 90"),
        ("limits: {pages: 010}", "YAML 1.1 reads the unquoted 010 as 8"),
        ("name: k", "name: this key stands twice, first in line 1"),
        ("accept: {max_reject_rate: 0.1, max_reject_rate: 0.2}", "accept.max_reject_rate: this key stands twice"),
        ("tasks: [{type: raw, name: a, prompt: @x}]", "a value that begins with `@` must stand in quotes"),
        ("tasks: !!python/object:os.system x", "tags (`!…`) have no place in a job file"),
        ("include: [*.pdf]", 'an unquoted value may not begin with `*`: put the pattern in quotes, "**/*.pdf"'),
        ("---\nname: two", "expected a single document"),
    ],
)
def test_yamls_traps_are_explained(complaints, text, said):
    """What YAML makes of an innocent line is said with its cure, at the line where it stands."""
    told = complaints(MINIMAL + text)
    assert any(said in line for line in told), told
    assert all(int(line.split(":")[1]) >= 4 for line in told)


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "just words\n", "3\n"])
def test_a_file_that_is_no_mapping_is_refused(complaints, text):
    """An empty file, a list or a scalar is told apart from a job."""
    assert complaints(text) == ["job.yaml:1: a job file is a mapping: name, source, sink, …; `pagemill schema` prints its keys"]


def test_anchors_and_merges_work(write):
    """A value may be named once and used again, and merged keys may be overridden."""
    text = MINIMAL + "render:\n  ladder:\n    - &whole {resolution: 448, tiles: none}\n    - {<<: *whole, tiles: grid}\n"
    assert [rung.tiles for rung in load(write(text)).render.ladder] == ["none", "grid"]


def test_aliases_that_unfold_without_end_are_refused(complaints):
    """A few lines that stand for billions of values, or for themselves, end at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "unfold to too many values" in complaints("\n".join(lines))[0]
    assert "unfold to too many values" in complaints("a: &a [*a]")[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sink: {uri: s3://b/50%, format: iceberg}", "sink.uri: Iceberg tables cannot lie where a name holds one of % # ?"),
        ("sink: {uri: out, catalog: {type: glue}}", "sink.catalog: a catalog goes with `format: iceberg`"),
        (
            "sink: {uri: out, format: iceberg, catalog: {type: glue, uri: x}}",
            "sink.catalog: AWS Glue is found as every AWS tool finds it",
        ),
        ("sink: {uri: out, format: iceberg, catalog: {type: rest}}", "sink.catalog.uri: a REST catalog needs the `uri`"),
        (
            "sink: {uri: out, format: iceberg, catalog: {warehouse: w}}",
            "sink.catalog: the SQLite catalog is always `catalog.db`",
        ),
        (
            "sink: {uri: out, format: iceberg, catalog: {type: rest, uri: https://me:secret@host}}",
            "sink.catalog.uri: credentials do not belong in a job file",
        ),
        ("model: {tensor_parallel: 2}", "model.tensor_parallel: only `engine: vllm` spreads a model over GPUs"),
        (
            "model: {engine: vllm, tensor_parallel: 2}",
            "model.tensor_parallel: it spreads a model over GPUs, and none are given",
        ),
        ("model: {revision: main}", "model.revision: a revision goes with a model hub's id"),
        ("model: {engine: scripted, adapter: ./lora}", "model.adapter: the scripted engine has no weights to adapt"),
        ("render: {ladder: [{tiles: none}, {resolution: 448}]}", "render.ladder[1]: this rung stands twice"),
        ("model: {quantization: int8, engine: vllm}", "model.quantization: int8 is not served"),
        (
            "render: {ladder: [{tiles: none}, {resolution: 896}]}",
            "render.ladder[1]: a checkpoint reads views of one resolution",
        ),
        ("tasks: [{type: ocr}, {type: ocr}]", "tasks[1]: a task `ocr` like this stands above already"),
        ("tasks: [{type: caption}, {type: caption, box: [0, 0, 1, 0.5]}]", "tasks[1]: a task `caption` like this stands above"),
        (
            "tasks: [{type: detect, labels: [a]}, {type: detect, labels: [b]}]",
            "tasks[1]: a task `detect` like this stands above",
        ),
        (
            "tasks: [{type: refer, phrase: the seal}, {type: refer, phrase: The-Seal, ask_as: segment}]",
            "tasks[1]: a task `refer`",
        ),
        ("workers: {gpus: 1, gpus_per_worker: 2}", "no worker could start"),
        ("workers: {gpus: 3, gpus_per_worker: 1.5}", "a part of one GPU or whole ones, not 1.5"),
        ("model: {engine: vllm, tensor_parallel: 2}\nworkers: {gpus: 4}", "needs as many GPUs a worker"),
        ("sink: {uri: gs://bucket/x}", "sink.uri: gs://bucket/x: only local paths, file:// and s3://"),
        ("source: {uri: in, inventory: https://x/y}", "source.inventory: https://x/y: only local paths"),
    ],
)
def test_impossible_combinations_are_refused(complaints, text, said):
    """What no run could satisfy is refused before anything starts, at its own line."""
    key = text.split(":")[0]
    kept = "".join(line for line in MINIMAL.splitlines(keepends=True) if not line.startswith(key))
    told = complaints(kept + text)
    assert len(told) == 1
    assert said in told[0]


def test_a_password_in_the_file_is_not_repeated(complaints):
    """A password written where its variable's name belongs is refused and never shown."""
    (told,) = complaints("name: j\nsource: {uri: in, passwords: hunter2}\nsink: {uri: out}\n")
    assert "env:PDF_PASSWORDS" in told
    assert "hunter2" not in told


def test_a_file_that_cannot_be_read_says_so(tmp_path):
    """A missing file, a folder and bytes that are not UTF-8 are errors of the argument."""
    (tmp_path / "latin.yaml").write_bytes("name: Größe".encode("latin-1"))
    for name, said in (("none.yaml", "no such file"), ("", "cannot be read"), ("latin.yaml", "UTF-8")):
        with pytest.raises(JobError, match=said):
            load(tmp_path / name)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:- \n\t{}[]?*&!<|>'\"#@,1.0~no"), max_size=60))
def test_any_text_whatever_is_parsed_or_explained(text):
    """No text makes the reader fail in another way than by saying what is wrong with it."""
    file = parse(text)
    assert all(problem.line >= 1 and problem.message for problem in file.problems)


def test_a_place_with_documents_is_a_job():
    """A file, folder or prefix becomes a job of its own name that reads all text with the embedded checkpoint."""
    job = adhoc("s3://bucket/My inbox/2026 #1/")
    assert (job.name, job.source.uri, job.sink.uri) == ("2026-1", "s3://bucket/My inbox/2026 #1/", ADHOC_SINK)
    assert (job.model.checkpoint, job.model.engine, job.render.text_layer) == ("embedded", "transformers", "prefer")
    assert [rung.tiles for rung in job.render.ladder] == ["grid"]
    assert [task.type for task in job.tasks] == ["ocr"]
    assert adhoc(".").name == "documents"


def test_a_sink_given_by_hand_is_judged_like_the_files(write):
    """`--sink` replaces the job's sink, and is refused where the file's own would be."""
    job = load(write(MINIMAL))
    assert with_sink(job, "elsewhere").sink.uri == "elsewhere"
    with pytest.raises(JobError, match=r"--sink gs://x: sink\.uri: gs://x: only local paths"):
        with_sink(job, "gs://x")
