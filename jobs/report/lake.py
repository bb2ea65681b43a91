"""The rows of a sink in the order of their documents, a few at a time: as columns they are small, as objects they are not."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reader import read
from schemas.arrow import from_table
from schemas.field import FieldRow
from schemas.page import PageRow
from schemas.source import DocumentRow

_GONE = ("superseded", "deleted")


class Lake:
    """What a sink holds at one moment."""

    def __init__(self, sink_uri: str) -> None:
        """Read the datasets; documents come last, so that a run at work cannot add pages of which no document is known."""
        self._pages, self._fields = read(sink_uri, "pages"), read(sink_uri, "fields")
        self.documents = from_table(read(sink_uri, "documents"), DocumentRow)
        keys = self._pages.select(["source_uri", "source_id", "page_index"])
        self._order = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names]).to_pylist()
        self._of_document: dict[str, list[int]] = defaultdict(list)
        source_ids = self._pages["source_id"].to_pylist()
        for place in self._order:
            self._of_document[source_ids[place]].append(place)
        self._fields_of: dict[str, list[int]] = defaultdict(list)
        for place, page_id in enumerate(self._fields["page_id"].to_pylist()):
            self._fields_of[page_id].append(place)

    def __len__(self) -> int:
        """Return how many pages there are."""
        return len(self._order)

    def by_document(self) -> Iterator[tuple[DocumentRow, list[int]]]:
        """Yield every document that stands, sorted by uri, and where its pages' rows are, for `rows`."""
        for document in sorted(self.documents, key=lambda row: (row.source_uri, row.source_id)):
            places = self._of_document.get(document.source_id, [])
            if places or document.status not in _GONE:
                yield document, places

    def rows(self, places: Sequence[int]) -> list[tuple[PageRow, list[FieldRow]]]:
        """Return pages, each with its fields."""
        pages = from_table(self._pages.take(pa.array(places, pa.int64())), PageRow)
        wanted = [place for page in pages for place in self._fields_of.get(page.page_id, ())]
        fields: dict[str, list[FieldRow]] = defaultdict(list)
        for row in from_table(self._fields.take(pa.array(wanted, pa.int64())), FieldRow):
            fields[row.page_id].append(row)
        return [(page, fields[page.page_id]) for page in pages]

    def committed(self, run_id: str) -> list[datetime]:
        """Return when each page of a run was done."""
        mine = self._pages.select(["run_id", "processed_at"]).filter(pc.field("run_id") == run_id)
        return cast("list[datetime]", mine["processed_at"].to_pylist())
