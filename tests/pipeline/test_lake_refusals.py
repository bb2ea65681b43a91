"""What an Iceberg catalog says no with: which of it passes, and the next run goes on, and which a person must put right."""

import inspect
import socket

import pytest
import requests
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from pyiceberg import exceptions
from sqlalchemy.exc import OperationalError

from jobs.cli import exit_code
from pipeline.errors import AccessDenied, StorageError, StorageUnavailable
from pipeline.lake import Lake
from pipeline.lake.refusals import translated
from schemas.job import Catalog


def _glue(code, status):
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetTable")


@pytest.mark.parametrize(
    ("raised", "kind", "code"),
    [
        (exceptions.CommitFailedException("somebody was quicker"), StorageUnavailable, 3),
        (exceptions.CommitStateUnknownException("no answer"), StorageUnavailable, 3),
        (exceptions.ServiceUnavailableError("503"), StorageUnavailable, 3),
        (exceptions.ServerError("500"), StorageUnavailable, 3),
        (exceptions.TooManyRequestsError("429"), StorageUnavailable, 3),
        (requests.ConnectionError("refused"), StorageUnavailable, 3),
        (requests.ReadTimeout("slow"), StorageUnavailable, 3),
        (EndpointConnectionError(endpoint_url="https://glue"), StorageUnavailable, 3),
        (_glue("ThrottlingException", 400), StorageUnavailable, 3),
        (_glue("InternalServiceException", 500), StorageUnavailable, 3),
        (exceptions.UnauthorizedError("401"), AccessDenied, 2),
        (exceptions.ForbiddenError("403"), AccessDenied, 2),
        (exceptions.OAuthError("invalid_client"), AccessDenied, 2),
        (_glue("EntityNotFoundException", 400), StorageError, 2),
        (NoCredentialsError(), StorageError, 2),
        (exceptions.BadRequestError("400"), StorageError, 2),
        (requests.exceptions.InvalidURL("no host"), StorageError, 2),
        (OperationalError("SELECT", {}, Exception("file is not a database")), StorageError, 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_refusal_has_its_meaning(raised, kind, code):
    """What passes ends with the exit code of a run to go on with, and all else with that of something to put right; each names what was said."""
    with pytest.raises(StorageError, match=rf"^the Iceberg catalog .*\({type(raised).__name__}\)") as caught, translated():
        raise raised
    assert type(caught.value) is kind
    assert exit_code(caught.value) == code


def test_no_answer_of_a_rest_catalog_escapes():
    """Every error that PyIceberg has for a REST catalog's answers is translated."""
    answers = [kind for _, kind in inspect.getmembers(exceptions, inspect.isclass) if issubclass(kind, exceptions.RESTError)]
    assert len(answers) > 5
    for kind in answers:
        with pytest.raises(StorageError), translated():
            raise kind("said no")


def test_a_catalog_that_is_away_is_told_as_such(book):
    """A service that nobody answers at is no mistake in the job: the same command goes on once it is back."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{probe.getsockname()[1]}"  # bound, and nobody listens
        with (
            pytest.raises(StorageUnavailable, match="cannot be reached"),
            Lake(book.store, book.places, Catalog(type="rest", uri=away)),
        ):
            pass
