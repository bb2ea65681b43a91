"""Ask advisory services about the installed packages, and say plainly what could not be asked: run by `make audit`.

pip-audit calls a package that its service does not know "skipped", and then says that no vulnerability was found. Here that counts as
not audited. Exit codes: 0 nothing is known against what could be asked about (also where no service could be reached); 1 something is.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SERVICES = ("pypi", "osv")
OWN = "pagemill"


@dataclass(frozen=True, slots=True)
class Audit:
    """What a service said: how many packages it was asked about and knew, and a line for each thing that is known against one."""

    asked: int
    known: int
    advisories: tuple[str, ...]


Ask = Callable[[str], str | None]


def main(ask: Ask | None = None) -> int:
    """Audit this environment; `ask` takes a service's name and returns pip-audit's JSON, or None where there is none."""
    best = Audit(0, 0, ())
    for service in SERVICES:
        said = (ask or _pip_audit)(service)
        found = parse(said) if said else Audit(0, 0, ())
        best = max(best, found, key=lambda audit: audit.known)
        if best.known and best.known == best.asked:
            break
    sys.stdout.write(f"{in_words(best)}\n")
    return 1 if best.advisories else 0


def parse(text: str) -> Audit:
    """Return what pip-audit's JSON says, without this project itself."""
    packages = [package for package in json.loads(text)["dependencies"] if package["name"] != OWN]
    known = [package for package in packages if "skip_reason" not in package]
    lines = tuple(_advisory(package["name"], package["version"], each) for package in known for each in package["vulns"])
    return Audit(len(packages), len(known), lines)


def in_words(audit: Audit) -> str:
    """Return the result for whoever reads the log."""
    if not audit.known:
        return "NOT AUDITED: no advisory service could be asked from here; run `make audit` where the advisories of PyPI or OSV can be"
    lines = [
        f"audited {audit.known} of {audit.asked} packages: {len(audit.advisories) or 'no'} known vulnerabilities",
        *audit.advisories,
    ]
    if audit.known < audit.asked:
        lines.append(f"NOT AUDITED: {audit.asked - audit.known} packages that the service does not know")
    return "\n".join(lines)


def _advisory(name: str, version: str, advisory: dict[str, list[str] | str]) -> str:
    fixed = ", ".join(advisory.get("fix_versions") or ()) or "no version yet"
    return f"  {name} {version}: {advisory['id']}, mended in {fixed}"


def _pip_audit(service: str) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "audit.json"
        command: Sequence[str] = (
            *(sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner", "off"),
            *("--vulnerability-service", service, "--format", "json", "--output", str(out)),
        )
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603 (our own interpreter); 1 is findings and no connection
        return out.read_text() if out.exists() and out.stat().st_size else None


if __name__ == "__main__":
    sys.exit(main())
