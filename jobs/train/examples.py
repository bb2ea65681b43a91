"""From labels to what a model is taught on: a view, a prompt and an answer, prepared once and kept, so that a resumed training opens no page.

Pages are opened as a run opens them: in a process that may die of them. A page that cannot be opened is left out and told.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.cache import DocumentCache
from pipeline.documents.child import Child
from pipeline.engines.glimpse import shows
from pipeline.errors import DocumentError, JobError
from pipeline.storage import open_store
from pipeline.strips import with_strips
from pipeline.tasks import detect, spot, table
from schemas.job import Limits, Tiling
from schemas.label import Label
from schemas.page import Line
from schemas.unit import Origin
from schemas.view import Affine, Region

_FRAMING = "tables are padded"  # part of what names views that were rendered before
_PROMPTS = {"ocr": "ocr", "spot": "spot", "table": "table"}


@dataclass(frozen=True, slots=True)
class Example:
    """One lesson: the file of a view (RGB uint8, saved by numpy), its map to page points, what is asked, and the true answer."""

    view: str
    affine: tuple[float, float, float, float, float, float]
    uri: str
    page: int
    task: str
    prompt: str
    target: str

    def image(self, folder: Path) -> NDArray[np.uint8]:
        """Return the view."""
        loaded: NDArray[np.uint8] = np.load(folder / self.view)
        return loaded


def prepared(
    labels: Sequence[Label], resolution: int, tiling: Tiling, folder: Path, say: Callable[[str], None]
) -> list[Example]:
    """Render the labels' views into `folder`, or take what was rendered of these very labels before."""
    identity = hashlib.sha256(
        "\n".join([_FRAMING, str(resolution), tiling, *(label.model_dump_json() for label in labels)]).encode()
    ).hexdigest()
    index = folder / f"{identity[:32]}.json"
    if not index.exists():
        folder.mkdir(parents=True, exist_ok=True)
        examples = list(_examples(labels, resolution, tiling, folder, say))
        scratch = index.with_suffix(".part")
        scratch.write_text(json.dumps([asdict(example) for example in examples]), encoding="utf-8")
        scratch.replace(index)
    found = [_example(content) for content in json.loads(index.read_text(encoding="utf-8"))]
    if not found:
        raise JobError("none of the labelled pages could be shown to the model")
    return found


def _example(content: dict[str, object]) -> Example:
    return Example(**{**content, "affine": tuple(content["affine"])})  # type: ignore[arg-type]


def _examples(
    labels: Sequence[Label], resolution: int, tiling: Tiling, folder: Path, say: Callable[[str], None]
) -> Iterator[Example]:
    ordered = sorted(labels, key=lambda label: (label.uri, label.page))
    with Child(Limits()) as child:
        for uri, of_document in groupby(ordered, key=lambda label: label.uri):
            together = list(of_document)
            try:
                child.open(_fetched(uri))
                for page, of_page in groupby(together, key=lambda label: label.page):
                    yield from _of_page(child, list(of_page), uri, page, (resolution, tiling, folder))
            except DocumentError as exc:
                say(f"left out {uri}: {exc}")


def _fetched(uri: str) -> Path:
    store = open_store(uri)
    found = store.stat(uri)
    source_id = hashlib.sha256(f"{found.uri}\0{found.version}".encode()).hexdigest()
    return DocumentCache(store).path(Origin(source_id=source_id, uri=uri, version=found.version, size_bytes=found.size_bytes))


def _of_page(child: Child, labels: Sequence[Label], uri: str, page: int, how: tuple[int, Tiling, Path]) -> Iterator[Example]:
    resolution, tiling, folder = how
    (whole,) = child.regions(page, "none", resolution)
    shown: dict[Region, str] = {}
    for label in labels:
        for region in _regions(child, label, whole, page, (resolution, tiling)):
            answer = target(label, region.affine, region.frame)
            if answer is None:
                continue
            if region not in shown:
                shown[region] = _file_name(uri, page, region, resolution)
                (image,) = child.render(page, [region], resolution)
                np.save(folder / shown[region], image)
            six = region.frame
            affine = (six.a, six.b, six.c, six.d, six.e, six.f)
            yield Example(shown[region], affine, uri, page, label.task, prompt(label), answer)


def _file_name(uri: str, page: int, region: Region, resolution: int) -> str:
    identity = "\0".join(map(str, (uri, page, region, resolution)))
    return f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.npy"


def _regions(child: Child, label: Label, whole: Region, page: int, how: tuple[int, Tiling]) -> list[Region]:
    """Return what is shown of a page for a label: its region, tiles where its lines say what stands in each, else the whole page.

    For a table it is padded, as a run pads it, and so is a slim tile; a dense tile's text is shown in strips.
    """
    if label.region is not None:
        shown = [Region("region", Affine.of_box(label.region))]
    elif how[1] != "none" and label.target is None and label.lines:
        tiles = with_strips(child.regions(page, how[1], how[0]), how[0])
        shown = [region.shown() for region in tiles if not region.is_divided]
    else:
        shown = [whole]
    return [region.padded() for region in shown] if label.task == "table" else shown


def prompt(label: Label) -> str:
    """Return what is asked: the label's own prompt, or the task's."""
    if label.prompt is not None:
        return label.prompt
    if label.task == "detect":
        return detect.PROMPT.format(labels=" ; ".join(label.labels or dict.fromkeys(item.label for item in label.boxes)))
    return _PROMPTS[label.task]


def target(label: Label, affine: Affine, frame: Affine | None = None) -> str | None:
    """Return the true answer on a view, with `<loc>` tokens for boxes and HTML for tables; None where the view shows nothing of it.

    `affine` maps what is shown of the page, `frame` all of the view, where that is more: places count in it.
    """
    if label.target is not None:
        return label.target
    if label.task == "detect":
        return detect.encode([item for item in label.boxes if shows(affine, item.box)], frame or affine)
    if label.task == "table":
        return table.encode(label.tables, frame or affine)
    lines = [line for line in label.lines if _stands_in(line, affine)]
    if not lines:
        return None
    return spot.encode(lines, frame or affine) if label.task == "spot" else "\n".join(line.text for line in lines)


def _stands_in(line: Line, affine: Affine) -> bool:
    return bool(line.text.strip()) and (line.box is None or shows(affine, line.box))
