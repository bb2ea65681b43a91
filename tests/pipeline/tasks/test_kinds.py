"""Which checkpoint understands which prompt."""

import pytest
from pydantic import TypeAdapter

from jobs.train.recipe import ON_CPU
from pipeline.tasks.kinds import KINDS, kind_of, misfit, misfits
from schemas.job import Job, Model, OcrTask, QuestionTask, Sink, Source, Task

READER = TypeAdapter(Task)
FIELDS = [{"name": "a", "question": "b?"}]


def task(type_, **keys):
    return READER.validate_python({"type": type_, **keys})


@pytest.mark.parametrize(
    ("checkpoint", "kind"),
    [
        ("google/paligemma-3b-pt-224", "pt"),
        ("google/paligemma2-3b-mix-448", "mix"),
        ("google/paligemma2-28b-pt-896", "pt"),
        ("google/paligemma-3b-ft-docvqa-896", "ft-docvqa"),
        ("google/paligemma-3b-ft-refcoco-seg-896", "ft-refcoco-seg"),
        ("google/paligemma2-10b-ft-docci-448", "ft-docci"),
        ("s3://models/paligemma2-3b-mix-448/", "mix"),
        ("./models/paligemma-3b-ft-ocrvqa-448-jax", "ft-ocrvqa"),
        ("embedded", "embedded"),
        ("s3://models/invoices-v3", None),
        ("", None),
    ],
)
def test_a_published_name_says_its_kind(checkpoint, kind):
    """Hub ids, prefixes and folders are known by their last part; other names say nothing."""
    assert kind_of(checkpoint) == kind


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("mix", task("answer", fields=FIELDS)),
        ("mix", task("detect", labels=["a"])),
        ("pt", task("ocr")),
        ("pt", task("caption", box=(0, 0, 1, 1))),
        ("ft-docvqa", task("answer", fields=FIELDS, prompt="{question}")),
        ("ft-infovqa", task("answer", fields=FIELDS)),
        ("ft-docci", task("caption", style="describe")),
        ("ft-refcoco-seg", task("refer", phrase="a", ask_as="segment", prompt="{phrase}")),
        ("embedded", task("answer", fields=FIELDS)),
        ("embedded", task("table")),
        ("ft-docvqa", task("raw", name="a", prompt="caption en")),
        ("ft-docvqa", task("ocr", prompt="what does it say?")),
        ("invoices-v3", task("table")),
    ],
)
def test_what_is_understood_is_not_warned_of(kind, given):
    """Known prompts of known kinds pass, and so does what nobody can judge: raw and own prompts, own checkpoints."""
    assert misfit(kind, given) is None


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("ft-docvqa", task("answer", fields=FIELDS), "{question}"),
        ("ft-chartqa", task("answer", fields=FIELDS), "{question}"),
        ("ft-docvqa", task("ocr"), "not understand `ocr`"),
        ("ft-infovqa", task("answer", fields=FIELDS, prompt="{question}"), "only answer"),
        ("ft-docci", task("answer", fields=FIELDS), "long captions"),
        ("ft-refcoco-seg", task("refer", phrase="a", ask_as="segment"), "{phrase}"),
        ("mix", task("ocr"), "disagree"),
        ("mix", task("caption", style="describe"), "disagree"),
        ("pt", task("spot"), "not understand `spot`"),
        ("mix", task("table"), "not understand `table`"),
        ("embedded", task("spot"), "not understand `spot`"),
        ("ft-cococap", task("ocr", prompt="ocr please"), "only caption"),
    ],
)
def test_a_prompt_that_does_not_fit_is_warned_of(kind, given, words):
    """The warning is a sentence that says what the kind understands and what to do."""
    warning = misfit(kind, given)
    assert warning is not None
    assert words in warning
    assert warning.startswith(f"{given.type}: ")


def test_every_kind_understands_something():
    """No kind of the table is empty, and nothing is both known and disputed."""
    for kind in KINDS.values():
        assert kind.understands
        assert not kind.understands & kind.disputed


def test_a_job_is_warned_of_every_task_its_checkpoint_does_not_understand() -> None:
    """One sentence a misfit; a checkpoint whose name says nothing, and the scripted engine, are never warned of."""
    tasks = (OcrTask(type="ocr"), QuestionTask(type="question", answer="42"))

    def warned(**model: str) -> list[str]:
        return misfits(Job(name="j", source=Source(uri="in"), sink=Sink(uri="out"), model=Model(**model), tasks=tasks))

    assert [said.partition(":")[0] for said in warned(checkpoint="google/paligemma2-3b-ft-docci-448")] == ["ocr", "question"]
    assert warned(checkpoint="s3://models/ours") == []
    assert warned(checkpoint="embedded", engine="scripted") == []


def test_what_ships_understands_what_it_was_taught():
    """The task that it was taught to no avail is warned of too: nobody is to take noise for where a line stands."""
    assert KINDS["embedded"].understands == ON_CPU.taught - {"spot"}
