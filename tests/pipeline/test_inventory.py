"""Inventory files in the forms that S3 and people write."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import JobError, ObjectMissing
from pipeline.inventory import read_inventory
from pipeline.storage import StoredObject, join, open_store
from pipeline.storage.local import LocalStore

TIME = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)


def read(path: Path, content: str | bytes) -> list[StoredObject]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_inventory(LocalStore(), str(path)))


def test_s3_inventory_as_csv_without_header(tmp_path: Path) -> None:
    """Bucket, url-encoded key, size, time and etag, quoted, as S3 writes them; folder markers are left out."""
    lines = (
        '"b","in/a%20b%2Bc%23%25+d.pdf","12","2026-11-20T01:02:03.000Z","abc"\n"b","in/","0","2026-11-20T01:02:03.000Z","d4"\n'
    )
    assert read(tmp_path / "x.csv", lines) == [StoredObject("s3://b/in/a b+c#% d.pdf", "abc", 12, TIME)]
    assert read(tmp_path / "x.csv.gz", gzip.compress(lines.encode())) == [
        StoredObject("s3://b/in/a b+c#% d.pdf", "abc", 12, TIME)
    ]


def test_a_header_names_the_columns(tmp_path: Path) -> None:
    """Columns may stand in any order and spelling; unknown ones are ignored, a byte order mark too."""
    lines = '\ufeffETag,StorageClass,Last_Modified_Date,KEY,Bucket,Size\n"abc",GLACIER,2026-11-20 01:02:03,k%C3%A4,b,5\n\n'
    assert read(tmp_path / "x.csv", lines) == [StoredObject("s3://b/kä", "abc", 5, TIME)]


def test_a_list_of_uris(tmp_path: Path) -> None:
    """One's own list has verbatim uris, and may say as little as that."""
    assert read(tmp_path / "x.csv", "uri,size,version\ns3://b/a%20b+c,7,v1\n/data/x y.pdf,,\n") == [
        StoredObject("s3://b/a%20b+c", "v1", 7, None),
        StoredObject("/data/x y.pdf", "", 0, None),
    ]
    assert read(tmp_path / "x.txt", "s3://b/a%20b\n/data/./y.pdf\n") == [
        StoredObject("s3://b/a%20b", "", 0, None),
        StoredObject("/data/y.pdf", "", 0, None),
    ]


def test_parquet_inventories_are_verbatim(tmp_path: Path) -> None:
    """In Parquet, S3 does not encode keys; only the newest versions that are not deleted count."""
    table = pa.table(
        {
            "bucket": ["b"] * 4,
            "key": ["a%20b+c.pdf", "old.pdf", "deleted.pdf", "folder/"],
            "version_id": ["1", "2", "3", "4"],
            "is_latest": [True, False, True, True],
            "is_delete_marker": [False, False, True, False],
            "size": pa.array([5, 6, None, 0], pa.int64()),
            "last_modified_date": pa.array([TIME] * 4, pa.timestamp("ms", tz="UTC")),
            "e_tag": ['"abc"', "x", None, "y"],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    assert list(read_inventory(LocalStore(), str(tmp_path / "x.parquet"))) == [
        StoredObject("s3://b/a%20b+c.pdf", "abc", 5, TIME)
    ]


def test_versioned_csv_inventories_keep_the_newest(tmp_path: Path) -> None:
    """Old versions and delete markers are no documents."""
    lines = "bucket,key,is_latest,is_delete_marker,size\nb,now,true,false,1\nb,old,false,false,1\nb,gone,true,true,\n"
    assert [item.uri for item in read(tmp_path / "x.csv", lines)] == ["s3://b/now"]


def test_manifest_json_names_columns_and_files(s3_uri: str) -> None:
    """S3 Inventory's manifest leads to all of its files, on S3, with the columns that it names."""
    store = open_store(s3_uri)
    bucket, _, folder = s3_uri.removeprefix("s3://").partition("/")
    for number in range(2):
        line = f'"b","k%20{number}","false","true","9"\n"b","old","false","false","9"\n'
        store.write(join(s3_uri, f"data/{number}.csv.gz"), gzip.compress(line.encode()))
    manifest = {
        "sourceBucket": "b",
        "destinationBucket": f"arn:aws:s3:::{bucket}",
        "version": "2016-11-30",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, IsDeleteMarker, IsLatest, Size",
        "files": [{"key": f"{folder}/data/{number}.csv.gz", "size": 1, "MD5checksum": ""} for number in range(2)],
    }
    store.write(join(s3_uri, "manifest.json"), json.dumps(manifest).encode())
    found = list(read_inventory(store, join(s3_uri, "manifest.json")))
    assert found == [StoredObject(f"s3://b/k {number}", "", 9, None) for number in range(2)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "b,k,not a number,2026-11-20,abc\n"),
        ("x.csv", "b,k,5,yesterday,abc\n"),
        ("x.csv", "uri\nrelative/path.pdf\n"),
        ("x.csv", "uri\ngs://b/k\n"),
        ("x.csv", "bucket,size,key\nb\n"),
        ("x.csv", b"\xff\xfe\x00binary"),
        ("x.csv.gz", gzip.compress(b"b,k,5\n" * 1000, mtime=0)[:40]),
        ("x.parquet", b"PAR1 and then nothing"),
        ("manifest.json", "{}"),
        ("manifest.json", "not json"),
        ("manifest.json", '{"destinationBucket": "arn:aws:s3:::b", "fileFormat": "ORC", "fileSchema": "", "files": []}'),
    ],
)
def test_what_is_no_inventory_is_said(tmp_path: Path, name: str, content: str | bytes) -> None:
    """A file that cannot be understood is a JobError that names it."""
    with pytest.raises(JobError, match=name):
        read(tmp_path / name, content)


def test_empty_and_missing_inventories(tmp_path: Path) -> None:
    """An empty file lists nothing; one that is not there is missing."""
    assert read(tmp_path / "x.csv", "") == []
    assert read(tmp_path / "y.csv", "uri,size\n") == []
    with pytest.raises(ObjectMissing):
        list(read_inventory(LocalStore(), str(tmp_path / "none.csv")))
