"""The operator's page says what is so: files, commands, exit codes, metrics, and its arithmetic."""

import re
from pathlib import Path

import yaml

from jobs.cli import COMMANDS, EXIT_CODES
from schemas.job import Job, Stop

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy" / "README.md").read_text()
TERA = 10**12


def _table(first_heading: str) -> list[list[str]]:
    """Return the rows of the table whose first column has this heading."""
    lines = TEXT.splitlines()
    (start,) = [number for number, line in enumerate(lines) if line.startswith(f"| {first_heading} |")]
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_links_and_files_exist():
    """Each link leads somewhere, and each file that is named beside a folder of deploy/ is there."""
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert links
    assert all((ROOT / "deploy" / link).exists() for link in links)
    named = re.findall(r"`((?:iam|kubernetes|monitoring)/[\w.-]+)`", TEXT)
    assert named
    assert all((ROOT / "deploy" / name).exists() for name in named)
    assert all((ROOT / path).exists() for path in re.findall(r"(?:deploy|tests|jobs)/[\w/.-]*\w", TEXT))


def test_commands_exist():
    """Whatever `pagemill …` the page tells to run is a command."""
    named = set(re.findall(r"(?:`|-- )pagemill (\w+)", TEXT))
    assert len(named) > 3
    assert named <= set(COMMANDS)


def test_every_exit_code_has_its_line():
    """The table holds the codes of a run, no more and no fewer."""
    assert [row[0] for row in _table("code")] == [str(code) for code in sorted({0, 1, *EXIT_CODES.values()})]
    assert all(row[2] for row in _table("code"))


def test_every_metric_has_its_line():
    """The table of metrics is the one of the code."""
    told = set(re.findall(r'"(pagemill_\w+)"', (ROOT / "pipeline" / "metrics.py").read_text()))
    assert {row[0].strip("`") for row in _table("metric")} == told


def test_the_limits_can_be_pasted():
    """The block that bounds a night is what the job file takes."""
    (block,) = re.findall(r"```yaml\n(stop:.*?)```", TEXT, re.DOTALL)
    stop = Stop.model_validate(yaml.safe_load(block)["stop"])
    assert (stop.deadline, stop.budget.requests) == (8 * 3600, 5 * 10**6)
    assert "stop" in Job.model_fields


def test_the_arithmetic_is_right():
    """Operations a page, from the sizes of PaliGemma 2 3B, as the benchmark on a GPU reckons them; and GPUs for a million pages."""
    vision, text = 27 * (4 * 1152**2 + 2 * 1152 * 4304), 26 * (2304 * 256 * (2 * 8 + 2 * 4) + 3 * 2304 * 9216)
    assert f"({vision / 1e9:.2f}·10⁹ parameters of vision, {text / 1e9:.2f}·10⁹ of text" in TEXT
    token = 2 * (text + 257216 * 2304)
    for side, tokens, *rest in _table("view"):
        image, prompted = int(tokens), int(tokens) + 16
        assert image == (int(side) // 14) ** 2
        look = 2 * vision * image + 4 * 27 * 1152 * image**2
        ask = 2 * text * prompted + 4 * 26 * 8 * 256 * prompted**2
        ocr, fields = look + ask + 300 * token, look + 3 * ask + 320 * token
        assert rest == [*(f"{part / TERA:.1f}" for part in (look, ask, ocr, fields)), f"{989 * TERA / fields:.0f} pages/s"]
    assert round(10**6 / 28_800) == 35
    assert round(35 / (62 / 3), 1) == 1.7
    assert round(10**6 / 20 / 3600) == 14
