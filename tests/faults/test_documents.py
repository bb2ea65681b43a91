"""Documents that crash, hang, eat memory or burst, among many that don't: each costs itself alone, within its limits."""

import os
import re
import signal
import threading
from pathlib import Path

import pytest

from pipeline.documents.child import Child
from pipeline.errors import DocumentError
from schemas.job import Limits

SHARE = 0.03
LIMITS = {"seconds_per_page": 4, "memory": "300MB"}
ROOMY = {**LIMITS, "seconds_per_page": 8}  # for documents that are fine, on a machine that has much else to do
GRACE_S = 5.0
LOOKS_S = 0.1  # between two looks at all processes of the machine; the documents that are struck take seconds
CODES = {"timeout", "out_of_memory", "damaged", "too_many_pixels", "crashed"}


@pytest.mark.parametrize("kind", ["laughs", "glutton", "burst", "poster", "nest"])
def test_a_hostile_page_is_given_up_within_its_limit(kind, hostile, processes, tmp_path):
    """Whatever a page does, it has its process for its time limit and five seconds at most, and the next document is read.

    By the clock of the process, which stands still while others have the machine.
    """
    bad, good = tmp_path / "bad.pdf", tmp_path / "good.pdf"
    bad.write_bytes(hostile.MADE[kind]())
    good.write_bytes(hostile.fine("words"))
    with Child(Limits.model_validate(LIMITS)) as child:
        child.open(good)  # the process has started
        child.open(bad)
        before = processes.seconds_of_ended()  # of those that have ended
        with pytest.raises(DocumentError) as refused:
            _shown(child)
        assert (
            processes.seconds_of_ended() - before < 3 * LIMITS["seconds_per_page"] + GRACE_S
        )  # three calls, each with its limit
        assert refused.value.code in CODES
        child.open(good)
        assert child.probe(0, text_layer=True).text_layer


@pytest.mark.parametrize("place", ["files"], indirect=True)
def test_three_in_a_hundred_hostile_documents_cost_no_other_its_row(place, hostile):
    """Among two hundred (PAGEMILL_DOCUMENTS), those that misbehave have rejects of their own, and all others their text."""
    count = int(os.environ.get("PAGEMILL_DOCUMENTS", "200"))  # `make soak` says 10,000
    night = place(
        solo=True,
        patience_s=max(600, count),
        changes={"limits": ROOMY, "render": {"text_layer": "prefer"}, "tasks": [{"type": "ocr"}], "workers": {"cpus": 4}},
        settings={},
    )
    bad = hostile.hostile(SHARE, count)
    crashing = {
        name.replace("laughs", "crash"): data + b"\n% and crashes" for name, data in bad.items() if name.startswith("laughs")
    }
    good = {f"good-{number:05}.pdf": hostile.fine(f"document {number}") for number in range(count - len(bad) - len(crashing))}
    night.fill({**bad, **crashing, **good})
    over = threading.Event()
    struck: set[int] = set()
    striker = threading.Thread(target=_strike, args=("crash-", over, struck))
    striker.start()
    try:
        summary = night.run()
    finally:
        over.set()
        striker.join()
    report = night.verify()
    assert report.is_exact, report.findings
    assert struck
    rows = {Path(str(row["source_uri"])).name: row for row in night.values()["pages"]}
    assert {name: row["text"] for name, row in rows.items() if name in good} == {
        name: f"document {int(name[5:10])}" for name in good
    }
    for name in (*bad, *crashing):
        codes = {failure["code"] for failure in rows[name]["failures"]} if name in rows else _unreadable(night, name)
        assert codes
        assert codes <= CODES, name
    assert summary.pages_ok == len(good)
    night.assert_gone()


def _shown(child: Child) -> None:
    child.probe(0, text_layer=False)
    child.render(0, child.regions(0, "none", 448), 448)


def _unreadable(night, name: str) -> set[str]:
    return {
        failure["code"]
        for row in night.values()["documents"]
        if str(row["source_uri"]).endswith(name)
        for failure in row["failures"]
    }


def _strike(name: str, over: threading.Event, struck: set[int]) -> None:
    """Send SIGSEGV to every process that has a document of that name open, as a fault of native code would."""
    wanted = re.compile(rf"/{name}[^/]*$")
    while not over.wait(LOOKS_S):
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if b"documents.reader" not in (folder / "cmdline").read_bytes():
                    continue
                if any(wanted.search(os.readlink(link)) for link in (folder / "fd").iterdir()):  # noqa: PTH115 (a link to something deleted)
                    os.kill(int(folder.name), signal.SIGSEGV)
                    struck.add(int(folder.name))
            except OSError:
                continue
