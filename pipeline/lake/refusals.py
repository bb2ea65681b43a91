"""What an Iceberg catalog can say, as pipeline.errors: the one table.

One that cannot be reached, is busy, or was changed by somebody else meanwhile is StorageUnavailable: what is committed stands, and the tables follow
with the next run. All else must be put right by a person first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import requests
from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg import exceptions
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import AccessDenied, StorageError, StorageUnavailable
from pipeline.storage.s3_errors import TRANSIENT_CLASSES, TRANSIENT_CODES

_PASSING: tuple[type[Exception], ...] = (
    exceptions.CommitFailedException,
    exceptions.CommitStateUnknownException,
    exceptions.ServerError,
    exceptions.ServiceUnavailableError,
    exceptions.TooManyRequestsError,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    *TRANSIENT_CLASSES,
)
_DENIED: tuple[type[Exception], ...] = (
    exceptions.UnauthorizedError,
    exceptions.ForbiddenError,
    exceptions.AuthorizationExpiredError,
    exceptions.OAuthError,
)
_REFUSED: tuple[type[Exception], ...] = (
    exceptions.NoSuchTableError,
    exceptions.NoSuchNamespaceError,
    exceptions.TableAlreadyExistsError,
    exceptions.ValidationException,
    exceptions.RESTError,
    BotoCoreError,
    ClientError,
    requests.RequestException,
    SQLAlchemyError,
    ValueError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what PyIceberg raises, of its own or of a catalog's client, into a StorageError that says what comes next."""
    try:
        yield
    except (*_PASSING, *_DENIED, *_REFUSED) as error:
        said = f"({type(error).__name__}): {error}"
        if _passes(error):
            raise StorageUnavailable(
                f"the Iceberg catalog cannot be reached or is busy {said}; the next run goes on, and its tables follow"
            ) from error
        if isinstance(error, _DENIED):
            raise AccessDenied(
                f"the Iceberg catalog refused these credentials {said}; put them right, and run again"
            ) from error
        raise StorageError(f"the Iceberg catalog refused {said}; look at `sink.catalog`, and run again") from error


def _passes(error: Exception) -> bool:
    if isinstance(error, ClientError):  # of Glue
        code = error.response.get("Error", {}).get("Code", "")
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return code in TRANSIENT_CODES or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, _PASSING)
