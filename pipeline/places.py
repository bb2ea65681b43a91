"""Where things lie under a sink: the datasets that readers see, and `_pagemill/`, which is the machine's own.

Names only; nothing is read or written here. Everything that is stored names files relative to the sink, so that a sink can be moved.
"""

from dataclasses import dataclass

from pipeline.storage import join

OWN = "_pagemill"


@dataclass(frozen=True, slots=True)
class Places:
    """The places of one sink, as uris."""

    sink_uri: str

    def file(self, relative: str) -> str:
        """Return the uri of a file that the ledger names relative to the sink."""
        return join(self.sink_uri, *relative.split("/"))

    def dataset(self, name: str) -> str:
        return join(self.sink_uri, name)

    def runs(self, *parts: str) -> str:
        return join(self.sink_uri, OWN, "runs", *parts)

    def plans(self, *parts: str) -> str:
        return join(self.sink_uri, OWN, "plans", *parts)

    def canary(self, name: str) -> str:
        return join(self.sink_uri, OWN, "canary", name)

    def staging(self, *parts: str) -> str:
        return join(self.sink_uri, OWN, "staging", *parts)

    def in_flight(self, *parts: str) -> str:
        return join(self.sink_uri, OWN, "in_flight", *parts)

    def run_of(self, uri: str) -> str:
        """Return the run that a file of runs/, staging/ or in_flight/ belongs to."""
        return uri.removeprefix(self.file(OWN)).split("/")[2]

    def ledger(self, *parts: str) -> str:
        return join(self.sink_uri, OWN, "ledger", *parts)

    def seal(self, what: str) -> str:
        return join(self.sink_uri, OWN, "seals", what)

    def claim(self, what: str) -> str:
        return join(self.sink_uri, OWN, "claims", what)


def staged(part_id: str, dataset: str) -> str:
    """Return a staged part's file, relative to the sink; `part_id` is "<run_id>/<unique>"."""
    return f"{OWN}/staging/{part_id}/{dataset}.parquet"


def published(dataset: str, processed_date: str, name: str) -> str:
    """Return a dataset's file, relative to the sink."""
    return f"{dataset}/processed_date={processed_date}/part-{name}.parquet"


def fields_beside(pages_file: str) -> str:
    """Return the file of fields/ that belongs to a file of pages/, staged or published; the two are always written together."""
    if pages_file.startswith(f"{OWN}/staging/"):
        return pages_file.removesuffix("pages.parquet") + "fields.parquet"
    return "fields" + pages_file.removeprefix("pages")
