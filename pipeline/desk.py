"""A document on the desk: fetched, opened in the child, and its pages turned to facts and views.

One desk serves one thread. It opens a document again only when another lay there in between.
"""

from collections.abc import Sequence

from pipeline.cache import DocumentCache
from pipeline.coverage import touches
from pipeline.documents.child import Child, Turn
from pipeline.documents.textlayer import TextLayer
from pipeline.errors import DocumentError
from pipeline.framing import framed
from pipeline.settle import WITNESS, PageFacts
from pipeline.tasks.base import Ask
from schemas.job import Job, Rung
from schemas.page import CompletionRecord, Failure
from schemas.unit import Unit
from schemas.view import Affine, Region, View


class Desk:
    """Where one document at a time lies open."""

    def __init__(self, job: Job, cache: DocumentCache, passwords: Sequence[str], child: Child | None = None) -> None:
        self._job, self._cache, self._passwords = job, cache, tuple(passwords)
        self._child = child or Child(job.limits)
        self._document_id: str | None = None
        self._refusal: Failure | None = None

    def close(self) -> None:
        self._child.close()

    def lay(self, unit: Unit) -> Failure | None:
        """Open the unit's document unless it lies there already; return why not, where it can't be. Raises StorageError."""
        if self._document_id == unit.document_id:
            return self._refusal
        self._document_id = None
        path = self._cache.path(unit.origins[0])
        try:
            self._child.open(path, passwords=self._passwords)
            self._refusal = None
        except DocumentError as error:
            self._refusal = error.failure()  # kept, so that a document on which opening hangs does so once, not once a page
        self._document_id = unit.document_id
        return self._refusal

    def look(self, unit: Unit, page_index: int) -> PageFacts:
        """Describe a page of a unit: lost, where its document can't be opened. Raises StorageError."""
        unopened = self.lay(unit)
        return (
            PageFacts(page_index, is_lost=True, notes=(unopened,))
            if unopened
            else self.facts(page_index, go_on=page_index + 1 < unit.first_page + unit.n_pages)
        )

    def facts(self, page_index: int, *, go_on: bool = True) -> PageFacts:
        """Describe a page of the open document; `go_on` says that the next one will be wanted."""
        wanted = self._job.render.text_layer
        try:
            probe = self._child.probe(page_index, text_layer=wanted != "ignore", go_on=go_on)
        except DocumentError as error:
            return PageFacts(page_index, is_lost=True, notes=(error.failure(),))
        facts = PageFacts(page_index, probe.width_pt, probe.height_pt, probe.rotation, probe.is_blank)
        if probe.text_layer is None or probe.is_blank:
            return facts
        return _with_layer(facts, probe.text_layer, stands_in=wanted == "prefer")

    def views(
        self,
        document_id: str,
        facts: PageFacts,
        rung: Rung,
        asks: Sequence[Ask],
        *,
        parts: Sequence[Affine] | None = None,
        turn_deg: Turn = 0,
    ) -> list[View]:
        """Render what a rung shows of a page of the open document, or of some parts of it, as each of `asks` is to see it.

        Raises DocumentError where that fails.
        """
        if facts.width_pt is None or facts.height_pt is None:
            return []
        shown = self._child.regions(facts.page_index, rung.tiles, rung.resolution, turn_deg)
        if parts is not None:
            shown = [region for region in shown if touches(region.affine, parts)]
        return self.shown(document_id, facts, framed(shown, asks, rung.resolution), rung.resolution)

    def shown(self, document_id: str, facts: PageFacts, regions: Sequence[Region], resolution: int) -> list[View]:
        """Render regions of a page of the open document; raise DocumentError where that fails."""
        images = self._child.render(facts.page_index, regions, resolution)
        return [View(document_id, facts.page_index, region, image) for region, image in zip(regions, images, strict=True)]


def _with_layer(facts: PageFacts, layer: TextLayer, *, stands_in: bool) -> PageFacts:
    notes = []
    if layer.hidden_chars:
        message = (
            f"{layer.hidden_chars} characters that no reader sees (invisible, covered or off the page) were not taken for text"
        )
        notes.append(Failure(stage="open", code="hidden_text", message=message))
    if layer.verdict == "nonsense":
        message = f"the text layer was not taken: {layer.reason or 'it is no language'}"
        notes.append(Failure(stage="open", code="text_layer_nonsense", message=message))
    if layer.verdict != "trusted":
        return facts.noting(*notes)
    if stands_in:
        return facts.noting(*notes).with_text(layer.text, layer.lines, layer.tables)
    witness = CompletionRecord(
        task=WITNESS, prompt="", view="page", affine=(), rung=0, raw=layer.text, finish_reason="stop", tokens=0
    )
    return facts.noting(*notes).witnessed(witness)
