"""The audit of dependencies: what is known is an error, and what could not be asked is never taken for clean."""

import importlib.util
import json
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def audit():
    spec = importlib.util.spec_from_file_location("audit", Path(__file__).parents[2] / "deploy" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CLEAN = {"name": "numpy", "version": "2.2", "vulns": []}
BAD = {"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"], "aliases": []}]}
SKIPPED = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited: torch (2.13.0+cpu)"}
OWN = {"name": "pagemill", "skip_reason": "distribution marked as editable"}


def _said(*packages):
    return json.dumps({"dependencies": [*packages, OWN], "fixes": []})


@pytest.mark.parametrize(
    ("answers", "code", "words"),
    [
        ({"pypi": _said(CLEAN)}, 0, ["audited 1 of 1 packages: no known vulnerabilities"]),
        (
            {"pypi": _said(CLEAN, BAD)},
            1,
            ["audited 2 of 2 packages: 1 known", "jinja2 2.4.1: PYSEC-2019-217, mended in 2.10.1"],
        ),
        ({"pypi": _said(CLEAN, SKIPPED), "osv": None}, 0, ["audited 1 of 2 packages", "NOT AUDITED: 1 packages"]),
        ({"pypi": _said(SKIPPED), "osv": _said(BAD)}, 1, ["PYSEC-2019-217"]),
        ({"pypi": _said(SKIPPED), "osv": None}, 0, ["NOT AUDITED: no advisory service could be asked"]),
        ({"pypi": None, "osv": None}, 0, ["NOT AUDITED: no advisory service could be asked"]),
    ],
)
def test_what_could_not_be_asked_is_not_clean(audit, capsys, answers, code, words):
    """The second service is asked where the first does not know; without any the log says so, and only a known fault fails."""
    assert audit.main(answers.__getitem__) == code
    said = capsys.readouterr().out
    assert all(word in said for word in words), said
