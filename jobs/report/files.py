"""The files of a report: one shell, one style sheet, one script, and data that a script element can load from disk, as fetch cannot.

Data is JSON in which nothing can end a script element. It knows nothing of rows, and writes only local files.
"""

import base64
import hashlib
import html
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from jobs.report.shapes import Overview, PageEntry
from pipeline.errors import JobError

PAGES_A_CHUNK = 32
"""A data file is loaded as a whole to show one of its pages."""
MARK = '<meta name="generator" content="pagemill report">'
_FOLDER_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; script-src 'self' file:; style-src 'self' file:; img-src 'self' file:"
_FILE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; script-src '{}'; style-src '{}'; img-src data:"


class Files:
    """A report in the making, in a folder beside its place; `finish` puts it there as a whole."""

    def __init__(self, out: Path, *, is_one_file: bool) -> None:
        """Raise JobError where something else than an earlier report is in the way."""
        if out.exists() and not _is_report(out):
            raise JobError(f"{out} is there and is no report of ours: name another place with --out")
        out.parent.mkdir(parents=True, exist_ok=True)
        self._out, self._is_one_file = out, is_one_file
        self._folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        self._folder.chmod(0o755)
        self._inline: list[str] = []
        self._waiting: list[str] = []
        self._pages = 0
        self._starts: list[int] = []

    @property
    def chunks(self) -> tuple[int, ...]:
        """Return the number of the first page of each data file."""
        return tuple(self._starts)

    def add_page(self, page: PageEntry) -> None:
        """Add the next page."""
        if not self._waiting:
            self._starts.append(self._pages)
        self._pages += 1
        self._waiting.append(page.model_dump_json(exclude_defaults=True))
        if len(self._waiting) == PAGES_A_CHUNK:
            self._flush()

    def add_picture(self, number: int, webp: bytes) -> None:
        """Add a page's picture."""
        if self._is_one_file:
            address = f"data:image/webp;base64,{base64.b64encode(webp).decode()}"
            self._inline.append(_data(f"picture-{number}", script_json(f'"{address}"')))
        else:
            self._write(f"pictures/{number}.webp", webp)

    def finish(self, overview: Overview) -> Path:
        """Write the rest, put the report in its place, and return the file to open."""
        self._flush()
        text = script_json(overview.model_dump_json(exclude_defaults=True))
        style, script = _asset("report.css"), _asset("report.js")
        if self._is_one_file:
            policy = _FILE_POLICY.format(_hash(script), _hash(style))
            head, body = (
                f"<style>{style}</style>",
                "\n".join([_data("overview", text), *self._inline, f"<script>{script}</script>"]),
            )
        else:
            policy = _FOLDER_POLICY
            head, body = (
                '<link rel="stylesheet" href="report.css">',
                '<script src="report.js"></script>\n<script src="data/overview.js"></script>',
            )
            self._write("report.css", style.encode())
            self._write("report.js", script.encode())
            self._write("data/overview.js", f"pagemill.begin({text})\n".encode())
        shell = _asset("report.html")
        for mark, instead in {
            "policy": policy,
            "generator": MARK,
            "title": html.escape(overview.title),
            "head": head,
            "body": body,
        }.items():
            shell = shell.replace(f"<!--{mark}-->", instead, 1)
        self._write("index.html", shell.encode())
        return self._put()

    def drop(self) -> None:
        """Leave nothing behind of a report that was not finished."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _flush(self) -> None:
        if not self._waiting:
            return
        number, text = len(self._starts) - 1, script_json(f"[{','.join(self._waiting)}]")
        self._waiting.clear()
        if self._is_one_file:
            self._inline.append(_data(f"chunk-{number}", text))
        else:
            self._write(f"data/{number}.js", f"pagemill.take({number},{text})\n".encode())

    def _put(self) -> Path:
        if self._out.exists():
            shutil.rmtree(self._out)
        self._folder.rename(self._out)
        return self._out / "index.html"

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)


def script_json(text: str) -> str:
    """Return JSON as it may stand in a script, in a file or in an element: no markup, and no line ends but JSON's own."""
    escapes: dict[str, str | int | None] = {
        "<": "\\u003c",
        ">": "\\u003e",
        "&": "\\u0026",
        "\u2028": "\\u2028",
        "\u2029": "\\u2029",
    }
    return text.translate(str.maketrans(escapes))


def _data(name: str, text: str) -> str:
    return f'<script type="application/json" id="{name}">{text}</script>'


def _asset(name: str) -> str:
    return resources.files("jobs.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _is_report(out: Path) -> bool:
    index = out / "index.html"
    if out.is_dir() and not any(out.iterdir()):
        return True
    return index.is_file() and MARK in index.read_text(encoding="utf-8", errors="replace")[:2000]
