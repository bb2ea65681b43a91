"""What S3 and botocore can say, as pipeline.errors: the one table. A test fails where an error has no place in it.

Two ways only: asked again (TRANSIENT), or raised at once as a StorageError that names the uri and the cure. Texts never repeat the
request, whose query string may be signed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import urllib3
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from pipeline.errors import (
    AccessDenied,
    CredentialsMissing,
    ObjectArchived,
    ObjectChanged,
    ObjectMissing,
    StorageError,
)


class TransientError(Exception):
    """The store failed in a way that passes; str() says how."""


Meaning = tuple[type[StorageError], str]

_MISSING = (ObjectMissing, "no such object")
_NO_BUCKET = (ObjectMissing, "no such bucket; check its name, and AWS_ENDPOINT_URL if the store is not Amazon's")
_DENIED = (
    AccessDenied,
    "access denied; the credentials need s3:GetObject, s3:ListBucket (and s3:PutObject, s3:DeleteObject on a sink)",
)
_BAD_KEY = (AccessDenied, "the store does not accept these credentials; check them, their age, and this machine's clock")
_NO_CREDENTIALS = (
    CredentialsMissing,
    "no usable AWS credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID, or give the machine a role",
)
_ARCHIVED = (ObjectArchived, "archived (Glacier or Deep Archive); restore it first, or exclude it")
_CHANGED = (ObjectChanged, "changed since it was listed; run again to take up the new version")
_REGION = (StorageError, "the bucket lies in another region or at another endpoint; set AWS_REGION or AWS_ENDPOINT_URL")
_UNSUPPORTED = (StorageError, "NotImplemented: this S3 server does not support the request")
_REFUSED = (StorageError, "the store refused the request")
_TOO_LARGE = (StorageError, "more than the store takes in one object")
_QUOTA = (StorageError, "the store's quota is used up; free some space and run again")

# by the code of S3's answer; HEAD has no body, and then botocore gives the status as the code
FATAL_CODES: dict[str, Meaning] = {
    "NoSuchKey": _MISSING, "NoSuchVersion": _MISSING, "NoSuchUpload": _MISSING, "NotFound": _MISSING, "404": _MISSING,
    "NoSuchBucket": _NO_BUCKET, "InvalidBucketName": _NO_BUCKET,
    "AccessDenied": _DENIED, "AllAccessDisabled": _DENIED, "AccountProblem": _DENIED, "Forbidden": _DENIED, "403": _DENIED,
    "InvalidAccessKeyId": _BAD_KEY, "SignatureDoesNotMatch": _BAD_KEY, "ExpiredToken": _BAD_KEY, "InvalidToken": _BAD_KEY,
    "TokenRefreshRequired": _BAD_KEY, "RequestTimeTooSkewed": _BAD_KEY, "Unauthorized": _BAD_KEY, "401": _BAD_KEY,
    "InvalidObjectState": _ARCHIVED, "ObjectNotInActiveTierError": _ARCHIVED,
    "PreconditionFailed": _CHANGED, "412": _CHANGED,
    "PermanentRedirect": _REGION, "TemporaryRedirect": _REGION, "AuthorizationHeaderMalformed": _REGION, "301": _REGION, "307": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "NotImplemented": _UNSUPPORTED, "501": _UNSUPPORTED, "MethodNotAllowed": _UNSUPPORTED, "405": _UNSUPPORTED,
    "EntityTooLarge": _TOO_LARGE, "TooManyParts": _TOO_LARGE, "413": _TOO_LARGE,
    "QuotaExceeded": _QUOTA, "InsufficientCapacity": _QUOTA, "507": _QUOTA,
    "EncryptionTypeMismatch": _REFUSED, "InvalidRequest": _REFUSED, "InvalidWriteOffset": _REFUSED, "KeyTooLongError": _REFUSED,
}  # fmt: skip
TRANSIENT_CODES = frozenset({
    "SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestLimitExceeded", "TooManyRequests",
    "BandwidthLimitExceeded", "ServiceUnavailable", "InternalError", "RequestTimeout", "RequestTimeoutException", "OperationAborted",
    "ConditionalRequestConflict", "IncompleteBody", "BadDigest", "XAmzContentSHA256Mismatch", "408", "409", "429",
})  # fmt: skip

# by botocore's class, where no answer came; the first that fits. Subclasses share their parent's place
FATAL_CLASSES: tuple[tuple[type[Exception], Meaning], ...] = tuple(
    (kind, _NO_CREDENTIALS)
    for kind in (
        boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.NoAuthTokenError, boto.TokenRetrievalError,
        boto.SSOError, boto.LoginError, boto.ProfileNotFound, boto.ConfigNotFound, boto.RefreshWithMFAUnsupportedError, boto.UnknownCredentialError,
    )
)  # fmt: skip
TRANSIENT_CLASSES: tuple[type[Exception], ...] = (
    boto.ConnectionError,  # refused, no such host, TLS
    boto.HTTPClientError,  # reset or closed, timeouts
    boto.IncompleteReadError,  # a body that ends early
    boto.ChecksumError,
    boto.FlexibleChecksumError,
    boto.MetadataRetrievalError,
    urllib3.exceptions.HTTPError,  # what botocore lets through while a body is read
    ResponseParserError,  # half an answer, well-formed by chance as HTTP
)


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """Turn what botocore raises into TransientError or a StorageError about `uri`."""
    try:
        yield
    except boto.ClientError as exc:
        raise of_answer(uri, exc) from exc
    except TRANSIENT_CLASSES as exc:
        raise TransientError(type(exc).__name__) from exc
    except boto.BotoCoreError as exc:
        raise _of_class(uri, exc) from exc


def of_answer(uri: str, exc: boto.ClientError) -> Exception:
    """Return what an answer of S3 means: by its code where the table has it, else by its HTTP status."""
    code = str(exc.response.get("Error", {}).get("Code", ""))
    status = int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    for key in (code, str(status)):
        if key in FATAL_CODES:
            error, words = FATAL_CODES[key]
            return error(f"{uri}: {words} (S3 said {code})")
        if key in TRANSIENT_CODES:
            return TransientError(code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(code)
    return StorageError(f"{uri}: {_REFUSED[1]} (S3 said {code})")


def _of_class(uri: str, exc: boto.BotoCoreError) -> StorageError:
    for kind, (error, words) in FATAL_CLASSES:
        if isinstance(exc, kind):
            return error(f"{uri}: {words} ({type(exc).__name__})")
    return StorageError(f"{uri}: {_REFUSED[1]} ({type(exc).__name__})")
