"""Passwords: from the environment to the documents, and nowhere else."""

import pymupdf
import pytest

from pipeline.errors import JobError
from pipeline.inspection import Inspector
from pipeline.listing import list_source
from pipeline.passwords import passwords
from schemas.job import Source


def test_passwords_are_the_lines_of_a_variable(monkeypatch):
    """One a line, empty lines left out; none where the job names no variable; an error where it is not set."""
    monkeypatch.setenv("SECRETS", "one\n\ntwo words\n")
    assert passwords(Source(uri="x", passwords="env:SECRETS")) == ("one", "two words")
    assert passwords(Source(uri="x")) == ()
    monkeypatch.delenv("SECRETS")
    with pytest.raises(JobError, match="SECRETS"):
        passwords(Source(uri="x", passwords="env:SECRETS"))


def test_encrypted_documents_open_with_one_of_them(mill, children):
    """Without a password the document's row says that one is needed, with wrong ones that none fits, with the right one it opens."""
    with pymupdf.open() as document:
        document.new_page().insert_text((20, 40), "secret words")
        mill.put("a.pdf", document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="hush", owner_pw="boss"))
    (item,) = list_source(mill.job().source)
    found = [
        Inspector(mill.job(), "run", given, child=children[0]).inspect(item)
        for given in ((), ("no", "nor this"), ("no", "hush"))
    ]
    assert [[failure.code for failure in each.failures] for each in found] == [["password_needed"], ["password_wrong"], []]
    assert [each.page_count for each in found] == [None, None, 1]
    assert len({each.document_id for each in found}) == 1
    assert "hush" not in "".join(each.model_dump_json() for each in found)
