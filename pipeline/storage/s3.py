"""S3, and whatever speaks it, as a store.

Credentials, region and endpoint come from where every AWS tool finds them (AWS_PROFILE, AWS_ENDPOINT_URL, a role, ~/.aws).
"""

import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipeline.errors import AccessDenied, ObjectChanged, ObjectMissing, StorageError
from pipeline.storage import local
from pipeline.storage.base import StoredObject
from pipeline.storage.s3_errors import FATAL_CODES, TransientError
from pipeline.storage.s3_requests import Requests, RetryPolicy, content_md5
from pipeline.storage.uris import split_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, ListObjectsV2OutputTypeDef, ObjectTypeDef

_log = logging.getLogger(__name__)
_CHUNK_BYTES = 1 << 20
_PART_BYTES = 16 << 20
_MOST_PARTS = 10_000
_MOST_DELETED_AT_ONCE = 1_000


class S3Store:
    """Objects in buckets. Pickles as its settings; the client is made anew where it arrives."""

    def __init__(self, policy: RetryPolicy | None = None, keys_per_page: int = 1000) -> None:
        self._requests = Requests(policy or RetryPolicy())
        self._keys_per_page = keys_per_page

    def __reduce__(self) -> "tuple[type[S3Store], tuple[RetryPolicy, int]]":
        return S3Store, (self._requests.policy, self._keys_per_page)

    @property
    def retries(self) -> int:
        return self._requests.retries

    def list(self, prefix_uri: str) -> Iterator[StoredObject]:
        bucket, prefix = split_s3(prefix_uri)
        if prefix and not prefix.endswith("/"):
            yield from self._object_named(prefix_uri)
            prefix += "/"
        token: str | None = ""
        while token is not None:
            page = self._page(prefix_uri, prefix, token, self._keys_per_page)
            for item in page.get("Contents", ()):
                if not (item["Key"].endswith("/") and item["Size"] == 0):
                    yield _stored(bucket, item)
            token = page.get("NextContinuationToken") if page["IsTruncated"] else None

    def stat(self, uri: str) -> StoredObject:
        bucket, key = _object(uri)
        with self._missing_not_denied(uri):
            head = self._requests.ask(uri, lambda s3: s3.head_object(Bucket=bucket, Key=key))
        return StoredObject(uri, head["ETag"].strip('"'), head["ContentLength"], head["LastModified"].astimezone(UTC))

    def exists(self, uri: str) -> bool:
        try:
            self.stat(uri)
        except ObjectMissing:
            return False
        return True

    def read(self, uri: str, version: str | None = None) -> bytes:
        sink = io.BytesIO()
        self._download(uri, version, sink)
        return sink.getvalue()

    def fetch(self, uri: str, version: str | None, path: Path) -> None:
        partial = path.with_name(local.partial_name())
        with local.translated(str(path)):
            try:
                with partial.open("xb") as sink:
                    self._download(uri, version, sink)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)

    def write(self, uri: str, data: bytes) -> None:
        bucket, key = _object(uri)
        md5 = content_md5(data)
        self._requests.ask(uri, lambda s3: s3.put_object(Bucket=bucket, Key=key, Body=data, ContentMD5=md5))

    def upload(self, path: Path, uri: str) -> None:
        with local.translated(str(path)), path.open("rb") as file:
            size_bytes = path.stat().st_size
            if size_bytes <= _PART_BYTES:
                self.write(uri, file.read())
                return
            try:
                self._upload_parts(uri, file, size_bytes)
            except ObjectMissing:  # an answer to "complete" was lost, and the upload is no longer there to be completed again
                file.seek(0)
                self._upload_parts(uri, file, size_bytes)

    def create(self, uri: str, data: bytes) -> bool:
        bucket, key = _object(uri)
        md5, before = content_md5(data), self.retries
        try:
            self._requests.ask(
                uri, lambda s3: s3.put_object(Bucket=bucket, Key=key, Body=data, ContentMD5=md5, IfNoneMatch="*")
            )
        except ObjectChanged:
            # a retried request may meet what its own first try, whose answer was lost, has put there
            return self.retries > before and self.read(uri) == data
        return True

    def delete(self, uris: Iterable[str]) -> None:
        remaining = iter(uris)
        while some := {*islice(remaining, _MOST_DELETED_AT_ONCE)}:
            by_bucket: dict[str, set[str]] = {}
            for bucket, key in map(_object, some):
                by_bucket.setdefault(bucket, set()).add(key)
            for bucket, keys in by_bucket.items():
                self._delete(bucket, keys)

    def _object_named(self, uri: str) -> Iterator[StoredObject]:
        """Yield the one object of just this key, if there is one: it is the first of all keys that begin so."""
        bucket, key = split_s3(uri)
        for item in self._page(uri, key, "", 1).get("Contents", ()):
            if item["Key"] == key:
                yield _stored(bucket, item)

    def _page(self, uri: str, prefix: str, token: str, most: int) -> "ListObjectsV2OutputTypeDef":
        bucket, _ = split_s3(uri)
        if token:
            return self._requests.ask(
                uri, lambda s3: s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=most, ContinuationToken=token)
            )
        return self._requests.ask(uri, lambda s3: s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=most))

    def _download(self, uri: str, version: str | None, sink: BinaryIO) -> None:
        """Stream an object into `sink`; a body that breaks off is taken up where it ended, from the very same version."""
        bucket, key = _object(uri)
        pin = version or ""

        def attempt(s3: "S3Client") -> None:
            nonlocal pin
            done = sink.tell()
            conditions = ({"IfMatch": f'"{pin}"'} if pin else {}) | ({"Range": f"bytes={done}-"} if done else {})
            answer = s3.get_object(Bucket=bucket, Key=key, **conditions)  # type: ignore[arg-type]
            pin = pin or answer["ETag"].strip('"')
            if done and answer["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.PARTIAL_CONTENT:
                sink.seek(0)
                sink.truncate()
            with closing(answer["Body"]) as body:
                sink.writelines(body.iter_chunks(_CHUNK_BYTES))

        with self._missing_not_denied(uri):
            self._requests.ask(uri, attempt)

    @contextmanager
    def _missing_not_denied(self, uri: str) -> Iterator[None]:
        """Say that an object is missing where S3 calls that a denial: it does for those who may not list the whole bucket.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        try:
            yield
        except AccessDenied as denied:
            if next(self._object_named(uri), None) is None:
                raise ObjectMissing(f"{uri}: no such object") from denied
            raise

    def _upload_parts(self, uri: str, file: BinaryIO, size_bytes: int) -> None:
        bucket, key = _object(uri)
        part_bytes = max(_PART_BYTES, -(-size_bytes // _MOST_PARTS))
        upload = self._requests.ask(uri, lambda s3: s3.create_multipart_upload(Bucket=bucket, Key=key))["UploadId"]
        parts: list[CompletedPartTypeDef] = []
        try:
            while data := file.read(part_bytes):
                number = len(parts) + 1
                parts.append({"PartNumber": number, "ETag": self._upload_part(uri, upload, number, data)})
            self._requests.ask(
                uri,
                lambda s3: s3.complete_multipart_upload(
                    Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
                ),
            )
        except BaseException:  # parts that nobody completes are kept, and paid for, until someone aborts them
            self._abort(uri, upload)
            raise

    def _upload_part(self, uri: str, upload: str, number: int, data: bytes) -> str:
        bucket, key = _object(uri)
        md5 = content_md5(data)
        return self._requests.ask(
            uri,
            lambda s3: s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data, ContentMD5=md5),
        )["ETag"]

    def _abort(self, uri: str, upload: str) -> None:
        bucket, key = _object(uri)
        try:
            self._requests.ask(uri, lambda s3: s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload))
        except ObjectMissing:
            return
        except StorageError as exc:
            _log.warning("an unfinished upload stays behind: %s", exc)

    def _delete(self, bucket: str, keys: set[str]) -> None:
        """Delete keys of one bucket; a retry asks only for those that failed."""
        remaining = set(keys)

        def attempt(s3: "S3Client") -> None:
            answer = s3.delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": key} for key in sorted(remaining)], "Quiet": True}
            )
            failed = {error.get("Key", ""): error.get("Code", "") for error in answer.get("Errors", ())}
            remaining.intersection_update(failed)
            for key, code in failed.items():
                error, words = FATAL_CODES.get(code, (ObjectMissing, ""))
                if error is not ObjectMissing:
                    raise error(f"s3://{bucket}/{key}: {words} (S3 said {code})")
                if code in FATAL_CODES:
                    remaining.discard(key)
            if remaining:
                raise TransientError(", ".join(sorted({failed[key] for key in remaining})))

        self._requests.ask(f"s3://{bucket}", attempt)


def _stored(bucket: str, item: "ObjectTypeDef") -> StoredObject:
    return StoredObject(
        f"s3://{bucket}/{item['Key']}", item["ETag"].strip('"'), item["Size"], item["LastModified"].astimezone(UTC)
    )


def _object(uri: str) -> tuple[str, str]:
    bucket, key = split_s3(uri)
    if not key:
        raise StorageError(f"{uri}: this names a bucket, not an object in it")
    return bucket, key
