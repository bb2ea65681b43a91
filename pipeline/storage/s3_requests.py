"""How S3 is asked: the client, and the one retry policy (botocore's own is off). It knows nothing of what is asked."""

import logging
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import md5
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from pipeline.errors import StorageError, StorageUnavailable
from pipeline.storage.s3_errors import TransientError, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
_log = logging.getLogger(__name__)
_AMAZON = (".amazonaws.com", ".amazonaws.com.cn")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failing request is made in all, and how long each may take; waits double from `first_wait_s`, with full jitter."""

    attempts: int = 8
    first_wait_s: float = 0.2
    longest_wait_s: float = 20.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0


class Requests:
    """A client, made at the first request, and the count of what was asked again. Safe to use from several threads."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.policy = policy
        self.retries = 0
        self._lock = threading.Lock()
        self._client: S3Client | None = None

    def ask(self, uri: str, request: "Callable[[S3Client], T]") -> T:
        """Return what the request returns, made again while it fails in a way that passes, as often as the policy allows.

        Raises StorageUnavailable where it does not pass, and the StorageError of s3_errors' table, about `uri`, for all else.
        """

        def attempt() -> T:
            with translated(uri):
                return request(self._connected())

        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self.policy.attempts),
            wait=wait_random_exponential(multiplier=self.policy.first_wait_s, max=self.policy.longest_wait_s),
            before_sleep=lambda state: self._count(uri, state),
            reraise=True,
        )
        try:
            return retrying(attempt)
        except TransientError as exc:
            cure = "check AWS_ENDPOINT_URL and the network, or run again later"
            raise StorageUnavailable(f"{uri}: the store failed {self.policy.attempts} times in a row ({exc}); {cure}") from exc

    def _count(self, uri: str, state: RetryCallState) -> None:
        with self._lock:
            self.retries += 1
        reason = state.outcome.exception() if state.outcome else None
        _log.info("%s: %s; attempt %d follows", uri, reason, state.attempt_number + 1)

    def _connected(self) -> "S3Client":
        with self._lock:
            if self._client is None:
                self._client = _connect(self.policy)
            return self._client


def content_md5(data: bytes) -> str:
    """Return the header by which any make of server refuses what arrives damaged."""
    return b64encode(md5(data, usedforsecurity=False).digest()).decode()


def _connect(policy: RetryPolicy) -> "S3Client":
    session = boto3.session.Session()
    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=policy.connect_timeout_s,
        read_timeout=policy.read_timeout_s,
        max_pool_connections=32,
    )
    try:
        client: S3Client = session.client("s3", config=config)
    except ValueError as exc:  # botocore's word for an endpoint that is no url
        raise StorageError("AWS_ENDPOINT_URL is no url; it looks like https://host:port") from exc
    if not (urlsplit(client.meta.endpoint_url).hostname or "").endswith(_AMAZON):
        client = session.client("s3", config=config.merge(_for_other_makers(client)))
    client.meta.events.register("before-sign.s3.DeleteObjects", _add_content_md5)
    return client


def _for_other_makers(client: "S3Client") -> Config:
    """Address buckets by path, unless configured: few such servers have a wildcard name. And spare them Amazon's checksum trailers of 2025."""
    config = Config(request_checksum_calculation="when_required", response_checksum_validation="when_required")
    if not (client.meta.config.s3 or {}).get("addressing_style"):  # type: ignore[attr-defined]
        config = config.merge(Config(s3={"addressing_style": "path"}))
    return config


def _add_content_md5(request: AWSRequest, **_: object) -> None:
    """Send the one checksum of DeleteObjects that every server takes; boto3 itself sends only the newer one."""
    body = request.body
    request.headers["Content-MD5"] = content_md5(body.encode() if isinstance(body, str) else body)
