"""S3 alone: what its answers mean, what is asked again, and what a failing network does to it."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import botocore.session
import pytest
from botocore.exceptions import ClientError

from pipeline import errors
from pipeline.errors import CredentialsMissing, ObjectArchived, ObjectMissing, StorageError, StorageUnavailable
from pipeline.storage import Store, open_store
from pipeline.storage.s3 import S3Store
from pipeline.storage.s3_errors import FATAL_CLASSES, FATAL_CODES, TRANSIENT_CLASSES, TRANSIENT_CODES, TransientError, of_answer
from pipeline.storage.s3_requests import RetryPolicy

QUICK = RetryPolicy(attempts=10, first_wait_s=0.01, longest_wait_s=0.05, connect_timeout_s=5, read_timeout_s=30)
OPERATIONS = (
    "ListObjectsV2", "HeadObject", "GetObject", "PutObject", "DeleteObjects", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload",
    "AbortMultipartUpload",
)  # fmt: skip


def answer(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetObject")


# what answers mean


def test_every_error_that_s3_documents_for_our_requests_is_mapped() -> None:
    """Amazon's own model of the requests we make names no error that the table lacks."""
    model = botocore.session.get_session().get_service_model("s3")
    named = {shape.name for operation in OPERATIONS for shape in model.operation_model(operation).error_shapes}
    assert named
    assert named <= {*FATAL_CODES, *TRANSIENT_CODES}


def test_every_kind_of_storage_error_is_reached() -> None:
    """Each child of StorageError in pipeline.errors stands for some answer, or for retries that ran out."""
    reached = {error for error, _ in [*FATAL_CODES.values(), *(meaning for _, meaning in FATAL_CLASSES)]} | {StorageUnavailable}
    assert reached == {StorageError, *StorageError.__subclasses__()}
    assert {error.__module__ for error in reached} == {errors.__name__}


def test_every_network_and_credential_error_of_botocore_is_mapped() -> None:
    """No class of botocore that tells of a connection, a timeout, a body, a checksum or credentials falls through the table."""
    mapped = (*TRANSIENT_CLASSES, *(kind for kind, _ in FATAL_CLASSES))
    told = (
        "Connect",
        "Timeout",
        "HTTP",
        "SSL",
        "Proxy",
        "IncompleteRead",
        "Streaming",
        "Credential",
        "Token",
        "SSO",
        "Login",
        "ProfileNotFound",
    )
    configuration = {"InvalidProxiesConfigError", "UnknownTokenProviderError", "InvalidIMDSEndpointError"}
    left = [
        name
        for name, kind in vars(botocore.exceptions).items()
        if isinstance(kind, type) and issubclass(kind, botocore.exceptions.BotoCoreError)
        and any(word in name for word in told) and name not in configuration and not issubclass(kind, mapped)
    ]  # fmt: skip
    assert left == []


@pytest.mark.parametrize(
    ("code", "status"), [(code, 400) for code in sorted(TRANSIENT_CODES)] + [("", 500), ("502", 502), ("Weird", 599)]
)
def test_passing_failures_are_asked_again(code: str, status: int) -> None:
    """Throttling and every unknown 5xx are failures that pass."""
    assert isinstance(of_answer("s3://b/k", answer(code, status)), TransientError)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDenied", 403, errors.AccessDenied),
        ("403", 403, errors.AccessDenied),
        ("SignatureDoesNotMatch", 403, errors.AccessDenied),
        ("NoSuchBucket", 404, ObjectMissing),
        ("404", 404, ObjectMissing),
        ("InvalidObjectState", 403, ObjectArchived),
        ("PreconditionFailed", 412, errors.ObjectChanged),
        ("NotImplemented", 501, StorageError),
        ("SomethingNew", 403, errors.AccessDenied),
        ("SomethingNew", 400, StorageError),
    ],
)
def test_refusals_are_not_asked_again(code: str, status: int, error: type[StorageError]) -> None:
    """A refusal has its own error, by its code before its status, with the object's uri and S3's word in the text."""
    meant = of_answer("s3://b/the key", answer(code, status))
    assert type(meant) is error
    assert "s3://b/the key" in str(meant)
    assert code in str(meant)


# against a server


@pytest.fixture
def store(s3_endpoint: str) -> Store:  # noqa: ARG001 (it has to run)
    return S3Store(QUICK, keys_per_page=7)


def test_long_listings_come_in_pages(store: Store, s3_uri: str) -> None:
    """A listing of several pages misses and doubles nothing, on the pages' edges neither."""
    for count in (7, 14, 15):
        keys = [f"{s3_uri}/{count}/{number:03d}" for number in range(count)]
        for key in keys:
            store.write(key, b"")
        assert [item.uri for item in store.list(f"{s3_uri}/{count}")] == keys
        store.delete(keys)
        assert list(store.list(f"{s3_uri}/{count}")) == []


def test_keys_that_are_no_paths_are_kept(store: Store, s3_uri: str) -> None:
    """Double slashes, dots and a leading slash are part of the key; empty folder markers are no documents, filled ones are."""
    kept = ["..", "../../x", "./y", "/lead", "a/./b", "a//b", "filled/", "plain"]
    for key in kept:
        store.write(f"{s3_uri}/{key}", b"x")
    store.write(f"{s3_uri}/marker/", b"")
    store.write(f"{s3_uri}/a/", b"")
    assert [item.uri.removeprefix(f"{s3_uri}/") for item in store.list(s3_uri)] == kept
    assert store.read(f"{s3_uri}/../../x") == b"x"
    store.delete(item.uri for item in store.list(s3_uri))
    assert list(store.list(s3_uri)) == []


def test_an_object_and_a_folder_may_share_a_name(store: Store, s3_uri: str) -> None:
    """Both are listed: the object itself, then what is below."""
    store.write(f"{s3_uri}/a", b"x")
    store.write(f"{s3_uri}/a/b", b"x")
    store.write(f"{s3_uri}/ab", b"x")
    assert [item.uri for item in store.list(f"{s3_uri}/a")] == [f"{s3_uri}/a", f"{s3_uri}/a/b"]


def test_a_missing_bucket_is_named(store: Store) -> None:
    """Listing, reading and writing say that the bucket is missing and where to look; nothing is asked twice."""
    for ask in (
        lambda: [*store.list("s3://pagemill-none/in")],
        lambda: store.read("s3://pagemill-none/x"),
        lambda: store.write("s3://pagemill-none/x", b""),
    ):
        with pytest.raises(ObjectMissing, match=r"pagemill-none.*bucket"):
            ask()
    assert store.retries == 0


def test_a_bucket_is_no_object(store: Store) -> None:
    """A uri without a key cannot be read or written."""
    with pytest.raises(StorageError, match="names a bucket"):
        store.read("s3://pagemill-tests")


def test_missing_credentials_are_said_at_once(s3_endpoint: str, s3_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Without credentials nothing is tried, and the text says which variables to set."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CredentialsMissing, match="AWS_PROFILE"):
        open_store(s3_uri).read(f"{s3_uri}/x")


def test_an_unknown_profile_is_missing_credentials(s3_endpoint: str, s3_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """A profile that is not configured is told apart from a store that refuses."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CredentialsMissing, match="ProfileNotFound"):
        open_store(s3_uri).read(f"{s3_uri}/x")


def test_an_endpoint_that_is_no_url_is_said_so(s3_endpoint: str, s3_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """The variable to mend is named."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost")
    with pytest.raises(StorageError, match="AWS_ENDPOINT_URL"):
        open_store(s3_uri).read(f"{s3_uri}/x")


def test_wrong_credentials_are_refused_without_telling_them(
    s3_endpoint: str, s3_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that checks them answers AccessDenied, once; neither key nor secret is in the text."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    if _accepted(S3Store(QUICK), s3_uri):
        pytest.skip(f"the server at {s3_endpoint} checks no credentials")
    store = S3Store(QUICK)
    with pytest.raises(errors.AccessDenied) as refused:
        store.write(f"{s3_uri}/x", b"x")
    assert "canary" not in str(refused.value)
    assert os.environ["AWS_ACCESS_KEY_ID"] not in str(refused.value)
    assert store.retries == 0


def _accepted(store: Store, s3_uri: str) -> bool:
    try:
        store.write(f"{s3_uri}/probe", b"x")
    except StorageError:
        return False
    return True


def test_create_puts_once_or_says_that_the_server_cannot(store: Store, s3_uri: str) -> None:
    """With conditional writes only the first creator succeeds; a server without them is told apart, and nothing is written."""
    try:
        created = store.create(f"{s3_uri}/x", b"first")
    except StorageError as exc:
        assert "NotImplemented" in str(exc)  # noqa: PT017 (either way is right)
        assert not store.exists(f"{s3_uri}/x")
        return
    assert created
    assert not store.create(f"{s3_uri}/x", b"second")
    assert store.read(f"{s3_uri}/x") == b"first"


def test_an_upload_that_fails_leaves_no_parts(store: Store, s3_uri: str, tmp_path: Path) -> None:
    """Parts of an upload that cannot be completed are aborted, because they would be paid for until someone did."""
    source = tmp_path / "source"
    source.write_bytes(bytes(33_000_000))

    class Full(Exception):
        pass

    def fail(**_: object) -> None:
        raise Full

    store.exists(f"{s3_uri}/x")
    client = store._requests._connected()
    client.meta.events.register("before-send.s3.CompleteMultipartUpload", fail)
    with pytest.raises(Full):
        store.upload(source, f"{s3_uri}/x")
    bucket = s3_uri.split("/")[2]
    uploads = boto3.session.Session().client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    assert [upload["Key"] for upload in uploads if upload["Key"].startswith(s3_uri.split("/")[3])] == []


# against a server that fails now and then


@pytest.mark.parametrize("fault", ["500", "503", "reset", "lost_answer", "half_body"])
def test_each_fault_is_survived(fault: str, faulty_s3: Callable[..., Any], s3_uri: str, tmp_path: Path) -> None:
    """With a third of the requests spoiled, what is written, listed, read, fetched and deleted is what was meant, and each retry is counted."""
    proxy = faulty_s3(rate=0.35, seed=7, faults=[fault])
    store = S3Store(
        RetryPolicy(attempts=25, first_wait_s=0.01, longest_wait_s=0.02, read_timeout_s=30),
        keys_per_page=3,
    )
    objects = {f"{s3_uri}/{number}": os.urandom(100_000 * number) for number in range(6)}
    for uri, data in objects.items():
        store.write(uri, data)
    listed = list(store.list(s3_uri))
    assert {item.uri: item.size_bytes for item in listed} == {uri: len(data) for uri, data in objects.items()}
    for item in listed:
        assert store.read(item.uri, item.version) == objects[item.uri]
        store.fetch(item.uri, item.version, tmp_path / "x")
        assert (tmp_path / "x").read_bytes() == objects[item.uri]
    store.delete(objects)
    assert list(store.list(s3_uri)) == []
    assert 0 < proxy.spoiled <= store.retries  # a busy server refuses some of its own accord


def test_an_answer_that_never_comes_is_asked_for_again(faulty_s3: Callable[..., Any], s3_uri: str, store: Store) -> None:
    """After `read_timeout_s` without a byte the request is made again."""
    store.write(f"{s3_uri}/x", b"here")
    proxy = faulty_s3(rate=1.0, seed=1, faults=["stall"], stall_s=5, most=1)
    impatient = S3Store(RetryPolicy(attempts=20, first_wait_s=0.01, longest_wait_s=0.02, read_timeout_s=1))
    assert impatient.read(f"{s3_uri}/x") == b"here"
    assert impatient.retries >= proxy.spoiled == 1


def test_all_faults_together_are_survived_by_large_uploads(faulty_s3: Callable[..., Any], s3_uri: str, tmp_path: Path) -> None:
    """An upload in parts, and its fetch, end with the same bytes though every kind of fault hits some of their requests."""
    faulty_s3(rate=0.3, seed=11, stall_s=0.7)
    store = S3Store(RetryPolicy(attempts=25, first_wait_s=0.01, longest_wait_s=0.02, read_timeout_s=30))
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(os.urandom(34_000_000))
    store.upload(source, f"{s3_uri}/x")
    (listed,) = store.list(s3_uri)
    store.fetch(listed.uri, listed.version, back)
    assert back.read_bytes() == source.read_bytes()


def test_a_half_body_is_taken_up_where_it_ended(faulty_s3: Callable[..., Any], s3_uri: str) -> None:
    """Bodies that always break off halfway still arrive whole: each attempt asks only for what is missing, of the same version."""
    S3Store(QUICK).write(f"{s3_uri}/x", data := os.urandom(5_000_000))
    faulty_s3(rate=1.0, seed=1, faults=["half_body"])
    store = S3Store(RetryPolicy(attempts=40, first_wait_s=0.001, longest_wait_s=0.002))
    assert store.read(f"{s3_uri}/x") == data
    assert store.retries <= 24  # the half of the half …: 5,000,000 is below 2 to the power of 23


def test_an_object_replaced_between_two_halves_is_not_mixed(faulty_s3: Callable[..., Any], s3_uri: str) -> None:
    """If the object changes while its broken body is taken up again, that is ObjectChanged, even of a read that was not pinned."""
    direct = S3Store(QUICK)
    direct.write(f"{s3_uri}/x", b"a" * 4_000_000)

    faulty_s3(rate=1.0, seed=1, faults=["half_body"])

    store = S3Store(RetryPolicy(attempts=5, first_wait_s=0.001, longest_wait_s=0.002))
    asked = []

    def replace(**_: object) -> None:
        asked.append(1)
        if len(asked) == 2:
            direct.write(f"{s3_uri}/x", b"b" * 4_000_000)

    store._requests._connected().meta.events.register("before-send.s3.GetObject", replace)
    with pytest.raises(errors.ObjectChanged):
        store.read(f"{s3_uri}/x")


def test_retries_are_bounded(faulty_s3: Callable[..., Any], s3_uri: str) -> None:
    """A store that always fails is asked as often as the policy says, and then StorageUnavailable names the object and the last fault."""
    proxy = faulty_s3(rate=1.0, seed=1, faults=["503"])
    store = S3Store(RetryPolicy(attempts=4, first_wait_s=0.001, longest_wait_s=0.002))
    with pytest.raises(StorageUnavailable, match=rf"{s3_uri}/x.*4 times.*SlowDown"):
        store.read(f"{s3_uri}/x")
    assert proxy.counts["requests"] == 4
    assert store.retries == 3


def test_an_endpoint_that_is_not_there_is_unavailable(s3_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection ends, after the bounded retries, in an error that says what to check."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
        store = S3Store(RetryPolicy(attempts=2, first_wait_s=0.001, longest_wait_s=0.002, connect_timeout_s=1))
        with pytest.raises(StorageUnavailable, match="AWS_ENDPOINT_URL"):
            list(store.list(s3_uri))


@pytest.mark.parametrize("fault", ["lost_answer", "half_body"])
def test_a_creation_whose_answer_was_lost_is_ones_own(
    fault: str, faulty_s3: Callable[..., Any], s3_uri: str, store: Store
) -> None:
    """A retried creation that meets its own first try counts as created."""
    try:
        store.create(f"{s3_uri}/probe", b"")
    except StorageError:
        pytest.skip("this server has no conditional writes")
    proxy = faulty_s3(rate=0.5, seed=3, faults=[fault])
    faulty = S3Store(QUICK)
    assert all(faulty.create(f"{s3_uri}/{number}", str(number).encode()) for number in range(8))
    assert not any(faulty.create(f"{s3_uri}/{number}", b"another") for number in range(8))
    assert proxy.spoiled > 0
