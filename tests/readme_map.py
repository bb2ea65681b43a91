"""The README's map of the code: one line a file, the first sentence of each. `python tests/readme_map.py` writes it anew."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
_BEGIN, _END = "<!-- map: written by `python tests/readme_map.py` -->\n", "<!-- end of map -->"


def map_of(root: Path) -> str:
    """Return the map, in Markdown: a heading a top-level package, then its files."""
    parts = []
    for package in ("schemas", "pipeline", "jobs"):
        files = sorted((root / package).rglob("*.py"), key=lambda path: (path.parent.parts, path.stem != "__init__", path.stem))
        lines = [f"- `{path.relative_to(root).as_posix()}`: {line}" for path in files if (line := _first_sentence(path))]
        parts.append(f"**{package}**\n\n" + "\n".join(lines) + "\n")
    return "\n" + "\n".join(parts) + "\n"


def written() -> str:
    """Return the map as the README has it."""
    return README.read_text().split(_BEGIN)[1].split(_END)[0]


def _first_sentence(path: Path) -> str | None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    if docstring is None:  # an empty __init__.py
        return None
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) (?=[A-Z`])", paragraph)[0].rstrip(".")


if __name__ == "__main__":
    before, rest = README.read_text().split(_BEGIN)
    README.write_text(f"{before}{_BEGIN}{map_of(ROOT)}{_END}{rest.split(_END)[1]}")
