"""`pagemill synth` and the folders it writes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.synth import FINISHES, KINDS, generate, synth, truth_of
from jobs.synth.command import synth as command
from jobs.synth.examples import EXAMPLES


def documents_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.endswith(".truth.json"))


def test_a_folder_holds_documents_and_their_truths(tmp_path: Path):
    """Each document is the seed's own, and the truth beside it reads back as it was."""
    paths = synth(tmp_path, count=4, seed=20, kinds=("receipt", "text"), finishes=("pdf", "png"))
    assert documents_in(tmp_path) == sorted(paths)
    for index, path in enumerate(paths):
        truth = truth_of(path)
        assert truth.seed == 20 + index
        assert (path.read_bytes(), truth) == generate(truth.kind, truth.seed, truth.finish)
    assert {(truth_of(path).kind, truth_of(path).finish) for path in paths} == {
        ("receipt", "pdf"), ("receipt", "png"), ("text", "pdf"), ("text", "png"),
    }  # fmt: skip


def test_all_kinds_come_where_none_is_named(tmp_path: Path):
    """As many documents as there are kinds show each of them once."""
    paths = synth(tmp_path, count=len(KINDS), seed=0, finishes=("pdf",))
    assert {truth_of(path).kind for path in paths} == set(KINDS)


def test_a_name_that_is_not_there_is_refused(tmp_path: Path):
    """Neither an unknown kind nor an unknown finish writes a document."""
    with pytest.raises(ValueError, match="novel"):
        synth(tmp_path, count=1, seed=0, kinds=("novel",))
    with pytest.raises(ValueError, match="papyrus"):
        synth(tmp_path, count=1, seed=0, finishes=("papyrus",))
    assert documents_in(tmp_path) == []


def test_the_command_writes_what_it_is_asked_for(tmp_path: Path):
    """Count, seed, kinds, finishes and split of the command line are those of the documents."""
    asked = [str(tmp_path), "--count", "2", "--seed", "3", "--kind", "letter", "--finish", "rotated", "--split", "evaluate"]
    result = CliRunner().invoke(command, asked)
    assert result.exit_code == 0, result.output
    assert "2 documents" in result.output
    truths = [truth_of(path) for path in documents_in(tmp_path)]
    assert [(truth.kind, truth.seed, truth.finish, truth.split) for truth in truths] == [
        ("letter", 3, "rotated", "evaluate"),
        ("letter", 4, "rotated", "evaluate"),
    ]


def test_the_command_refuses_unknown_finishes(tmp_path: Path):
    """A wrong name ends with exit code 2 and lists the right ones."""
    result = CliRunner().invoke(command, [str(tmp_path), "--finish", "papyrus"])
    assert result.exit_code == 2
    assert all(finish in result.output for finish in FINISHES)


def test_the_command_writes_the_examples(tmp_path: Path):
    """`--examples` writes the documents that ship, and no others."""
    result = CliRunner().invoke(command, [str(tmp_path), "--examples"])
    assert result.exit_code == 0, result.output
    assert {path.stem for path in documents_in(tmp_path)} == set(EXAMPLES)
