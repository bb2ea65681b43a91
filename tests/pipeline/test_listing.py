"""Which objects of a source are taken, and the manifest that says so; over local files and over S3."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import ObjectMissing
from pipeline.listing import MANIFEST, in_shard, list_source, write_manifest
from pipeline.storage import Store, join, open_store
from schemas.job import Source
from schemas.source import SourceObject

NAMES = ["a.pdf", "b c#%20+.PDF", "deep/er/c.pdf", "deep/notes.txt", "deep.pdf", "scan/1.tif", "ü.pdf"]


@pytest.fixture(params=["local", "s3"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    base = str(tmp_path / "base") if request.param == "local" else request.getfixturevalue("s3_uri")
    store = open_store(base)
    for name in NAMES:
        store.write(f"{base}/in/{name}", name.encode())
    return base


@pytest.fixture
def store(base: str) -> Store:
    return open_store(base)


def names(base: str, sink: str | None = None, **source: object) -> list[str]:
    found = list_source(Source(uri=join(base, "in"), **source), sink_uri=sink)
    return [item.uri.removeprefix(f"{base}/in/") for item in found]


def test_a_folder_gives_all_its_objects(base: str, store: Store) -> None:
    """Everything below the folder is listed, as the store lists it."""
    listed = list(list_source(Source(uri=join(base, "in"))))
    assert sorted(NAMES) == sorted(item.uri.removeprefix(f"{base}/in/") for item in listed)
    for item in listed:
        known = store.stat(item.uri)
        assert (item.version, item.size_bytes, item.modified_at) == (known.version, known.size_bytes, known.modified_at)


def test_include_and_exclude(base: str) -> None:
    """Included names are taken, unless they are excluded; names are those below the source."""
    assert names(base, include=["**/*.pdf"]) == ["a.pdf", "b c#%20+.PDF", "deep.pdf", "deep/er/c.pdf", "ü.pdf"]
    assert names(base, include=["*.pdf", "scan/*"], exclude=["[a-b]*"]) == ["deep.pdf", "scan/1.tif", "ü.pdf"]
    assert names(base, exclude=["**"]) == []


def test_a_single_file_is_a_source(base: str) -> None:
    """The source may be one object, which its own name includes."""
    (found,) = list_source(Source(uri=join(base, "in/deep.pdf"), include=("*.pdf",)))
    assert found.uri == join(base, "in/deep.pdf")


def test_a_source_that_is_not_there(base: str) -> None:
    """A misspelt local folder is an error; an empty prefix on S3 is no folder and lists nothing."""
    if base.startswith("s3://"):
        assert list(list_source(Source(uri=join(base, "none")))) == []
    else:
        with pytest.raises(ObjectMissing, match="none"):
            list(list_source(Source(uri=join(base, "none"))))


def test_our_own_outputs_are_no_documents(base: str, store: Store) -> None:
    """A sink below the source is left out whole; one at the source loses what is named as outputs are, and no document."""
    for name in ("out/pages/processed_date=2026-11-21/x.parquet", "out/_pagemill/y", "out/z.pdf"):
        store.write(join(base, "in", name), b"")
    assert names(base, sink=join(base, "in/out")) == sorted(NAMES)
    assert "out/z.pdf" in names(base, sink=join(base, "elsewhere"))
    for name in ("documents/mine.pdf", "pages/processed_date=2026-11-21/x.parquet", "_pagemill/y", "_SUCCESS-mine"):
        store.write(join(base, "in", name), b"")
    beside = names(base, sink=join(base, "in"))
    assert "documents/mine.pdf" in beside
    assert not any("processed_date" in name or name.startswith("_") for name in beside if not name.startswith("out/"))


def test_shards_part_the_source(base: str) -> None:
    """Each object is in exactly one of n shards, and stays there when others come and go."""
    source = Source(uri=join(base, "in"))
    shards = [[item.uri for item in list_source(source, shard=(part, 3))] for part in range(3)]
    assert sorted(uri for shard in shards for uri in shard) == sorted(f"{base}/in/{name}" for name in NAMES)
    assert all(in_shard(uri, (part, 3)) for part, shard in enumerate(shards) for uri in shard)
    few = Source(uri=join(base, "in"), include=("*.pdf",))
    assert {item.uri for item in list_source(few, shard=(1, 3))} <= set(shards[1])


def test_a_limit_takes_the_first(base: str) -> None:
    """A limit takes the first in order, after include and exclude; it may be larger than the source."""
    source = Source(uri=join(base, "in"), include=("**/*.pdf",))
    everything = [item.uri for item in list_source(source)]
    assert [item.uri for item in list_source(source, limit=2)] == everything[:2]
    assert [item.uri for item in list_source(source, limit=100)] == everything
    assert list(list_source(source, limit=0)) == []


def test_a_sample_is_random_and_repeatable(base: str) -> None:
    """A sample has the size that was asked for, is the same for the same seed, and another for others."""
    source = Source(uri=join(base, "in"))
    samples = {tuple(item.uri for item in list_source(source, sample=3, seed=seed)) for seed in range(4) for _ in range(2)}
    assert {len(sample) for sample in samples} == {3}
    assert 2 <= len(samples) <= 4
    assert all(list(sample) == sorted(sample) for sample in samples)
    assert len([*list_source(source, sample=100)]) == len(NAMES)


def test_an_inventory_stands_in_for_the_listing(base: str, store: Store) -> None:
    """What an inventory lists below the source is taken, once, in order; what it does not know the store is asked, and what is gone stays unknown."""
    lines = [
        "uri,size,version",
        f"{base}/in/deep.pdf,8,",
        f"{base}/in/a.pdf,5,v1",
        f"{base}/in/a.pdf,5,v1",
        f"{base}/in/none.pdf,9,",
        f"{base}/out/x.pdf,9,",
    ]
    store.write(join(base, "inventory.csv"), "\n".join(lines).encode())
    source = Source(uri=join(base, "in"), include=("**/*.pdf",), inventory=join(base, "inventory.csv"))
    assert list(list_source(source)) == [
        SourceObject(uri=f"{base}/in/a.pdf", version="v1", size_bytes=5, modified_at=None),
        SourceObject(**{name: getattr(store.stat(f"{base}/in/deep.pdf"), name) for name in SourceObject.model_fields}),
        SourceObject(uri=f"{base}/in/none.pdf", version="", size_bytes=9, modified_at=None),
    ]


def test_an_inventory_may_reach_everywhere(base: str, store: Store) -> None:
    """With the source "s3://" or "/", an inventory's objects may lie in any bucket or folder."""
    store.write(join(base, "inventory.csv"), f"uri,version,size\n{base}/in/a.pdf,v1,5\n".encode())
    top = "s3://" if base.startswith("s3://") else "/"
    (found,) = list_source(Source(uri=top, inventory=join(base, "inventory.csv")))
    assert found.uri == f"{base}/in/a.pdf"


def test_names_that_are_not_utf8_are_matched_by_their_end(tmp_path: Path) -> None:
    """A local name that is no text is included like any other, and has an id."""
    (tmp_path / "in").mkdir()
    with open(bytes(tmp_path / "in") + b"/caf\xe9.pdf", "wb"):  # noqa: PTH123 (bytes)
        pass
    (found,) = list_source(Source(uri=str(tmp_path / "in"), include=("*.pdf",)))
    assert found.uri.endswith("/in/caf%E9.pdf")
    assert len(found.source_id) == 64


def test_a_manifest_has_every_object_once(base: str, store: Store) -> None:
    """Shards of the size asked for hold all objects in order, with their ids and the schema's exact types."""
    listed = list(list_source(Source(uri=join(base, "in"))))
    shards = write_manifest(iter(listed), store, join(base, "out/manifest"), rows_per_shard=3).shards
    tables = [pq.read_table(io.BytesIO(store.read(shard))) for shard in shards]
    assert [len(table) for table in tables] == [3, 3, 1]
    assert list(shards) == sorted(shards) == [item.uri for item in store.list(join(base, "out/manifest"))]
    assert all(table.schema.equals(MANIFEST) for table in tables)
    rows = pa.concat_tables(tables).to_pylist()
    assert rows == [{"source_id": item.source_id, **item.model_dump()} for item in listed]


def test_no_objects_make_no_shard(tmp_path: Path) -> None:
    """A manifest of nothing is no file at all."""
    assert write_manifest([], open_store("/"), str(tmp_path / "manifest")).shards == ()
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_keeps_what_is_unknown(tmp_path: Path) -> None:
    """An object without a time or version has a null and an empty string; times keep their microseconds."""
    time = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    objects = [
        SourceObject(uri="s3://b/x", version="", size_bytes=2**40, modified_at=None),
        SourceObject(uri="s3://b/y", version="v", size_bytes=0, modified_at=time),
    ]
    (shard,) = write_manifest(objects, open_store("/"), str(tmp_path)).shards
    assert [(row["version"], row["size_bytes"], row["modified_at"]) for row in pq.read_table(shard).to_pylist()] == [
        ("", 2**40, None),
        ("v", 0, time),
    ]
