"""What a run shows: counts, a time left that is true, lines that are not too many, and nothing where quiet is asked for."""

import io
import os
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.progress import Counts, Lines, Watcher, duration, watch


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


def test_the_time_left_follows_from_what_remains_and_how_fast_it_went(clock):
    """After 100 of 400 pages at 10 a second, 30 seconds are left; the minutes before the first commit do not count."""
    out = io.StringIO()
    watcher = Watcher(Lines(out), clock)
    watcher.selected(410)
    clock.now += 600  # a model is being loaded
    watcher.committed(10, 0, 1)
    clock.now += 10
    watcher.committed(100, 2, 3)
    assert watcher.counts.rate(610) == pytest.approx(10.0)
    assert watcher.counts.left_s(610) == pytest.approx(30.0)
    clock.now += 60
    watcher.phase("read")
    assert (
        out.getvalue().splitlines()[-1]
        == "0:11:10 read: 110 of 410 pages, 4 documents, 1.43 pages/s, 2 rejects, about 4 min left"
    )


def test_no_time_is_promised_before_there_is_a_rate():
    """One commit, or two at once, say nothing about how fast it will go on."""
    counts = Counts(pages_selected=100)
    assert counts.left_s(0) is None
    counts.commit(1.0, 10)
    assert counts.left_s(60) is None
    counts.commit(1.1, 10)
    assert counts.left_s(1.2) is None


def test_the_rate_is_of_late():
    """What was slow an hour ago no longer counts."""
    counts = Counts(pages_selected=10_000)
    counts.commit(0.0, 1)
    counts.commit(3600.0, 1)
    for second in range(3601, 4200):
        counts.commit(float(second), 10)
    assert counts.rate(4199.0) == pytest.approx(10.0, rel=0.01)


@given(st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 100)), max_size=30), st.integers(0, 10_000))
def test_whatever_comes_it_can_be_shown(commits, selected):
    """No order of events, however odd, breaks the line or promises a negative time."""
    counts = Counts(pages_selected=selected)
    at_s = 0.0
    for step, pages in commits:
        at_s += step
        counts.commit(at_s, pages)
        assert "pages" in counts.line(at_s) or not selected
        assert (counts.left_s(at_s) or 0) >= 0
    assert counts.pages == sum(pages for _, pages in commits)


def test_lines_come_at_every_phase_and_then_seldom(clock):
    """A thousand commits in a hundred minutes are a few dozen lines, and each phase has one at once."""
    out = io.StringIO()
    watcher = Watcher(Lines(out), clock)
    watcher.phase("list")
    watcher.listed(3)
    watcher.phase("read")
    watcher.selected(1000)
    for _ in range(1000):
        clock.now += 6
        watcher.committed(1, 0, 0)
    lines = out.getvalue().splitlines()
    assert lines[0] == "0:00:00 list"
    assert "0:00:00 read: 3 objects" in lines
    assert 50 < len(lines) < 150


def test_a_remark_is_shown_at_once(clock):
    """What a person should know now is not held back."""
    out = io.StringIO()
    Watcher(Lines(out), clock).note("a worker was lost: its pages are read again")
    assert out.getvalue() == "0:00:00 a worker was lost: its pages are read again\n"


def test_quiet_shows_nothing():
    """`--quiet` means no progress at all, wherever stderr goes."""
    out = io.StringIO()
    with watch(out, quiet=True) as progress:
        progress.phase("read")
        progress.selected(10)
        progress.committed(10, 0, 1)
        progress.note("a remark")
    assert out.getvalue() == ""


def test_a_file_gets_lines_and_a_terminal_a_live_line(monkeypatch):
    """Control codes go to terminals only, and what is live is wiped away at the end."""
    plain, terminal = io.StringIO(), io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setenv("TERM", "xterm")
    for out in (plain, terminal):
        with watch(out) as progress:
            progress.phase("read")
            progress.selected(10)
            progress.committed(4, 0, 1)
            progress.note("a remark")
    assert "\x1b" not in plain.getvalue()
    assert re.search(r"^\d:\d\d:\d\d read", plain.getvalue(), re.MULTILINE)
    assert "\x1b" in terminal.getvalue()
    assert "4 of 10 pages" in terminal.getvalue()
    assert "a remark" in terminal.getvalue()


def test_a_real_terminal_shows_one_line_that_moves_on_and_goes(monkeypatch):
    """On a pseudo-terminal what is live is one line, rewritten in place; remarks stay above it, and at the end only they are there."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    seen, shown = os.openpty()
    with os.fdopen(shown, "w") as terminal:
        assert terminal.isatty()
        with watch(terminal) as progress:
            progress.phase("read")
            progress.selected(10)
            for pages in range(5):
                progress.committed(pages, 0, 1)
                progress.note(f"remark {pages}")
    written = _all_of(seen)
    assert "10 of 10 pages, 5 documents" in written
    assert _left_on_screen(written) == [f"remark {pages}" for pages in range(5)]


def _all_of(descriptor: int) -> str:
    """Return what was written to a terminal whose other side is closed by now."""
    pieces = []
    with suppress(OSError):  # what Linux says at its end
        while piece := os.read(descriptor, 2**16):
            pieces.append(piece)
    os.close(descriptor)
    return b"".join(pieces).decode()


def _left_on_screen(written: str) -> list[str]:
    """Return the lines that a terminal shows after all of this: text, returns, line feeds, cursor up, erased lines, and nothing else."""
    lines, row, column = [""], 0, 0
    for code, text in re.findall(r"\x1b\[([0-9;?]*[A-Za-z])|([^\x1b])", written):
        if code.endswith("A"):
            row -= int(code[:-1])
        elif code == "2K":
            lines[row] = ""
        elif text == "\r":
            column = 0
        elif text == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif text:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + 1 :]
            column += 1
        else:
            assert code[-1] in "mhl", code  # colour, and whether the cursor is shown
    return [line.rstrip() for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3540, "59 min"),
        (3599, "1 h 0 min"),
        (12_000, "3 h 20 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_durations_are_said_as_people_do(seconds, said):
    """Seconds, minutes, hours and days, each no finer than anyone needs."""
    assert duration(seconds) == said
