"""Everything that can go wrong, as one tree.

PagemillError
├── JobError                the job file or an argument is wrong (exit code 2)
├── StorageError            a store said no, and trying again would not help
│   ├── ObjectMissing       no such object, bucket or file
│   │   └── RowsMoved       rows lie elsewhere by now, as somebody has published since: they are selected anew
│   ├── AccessDenied        the credentials do not allow it
│   ├── CredentialsMissing  no credentials were found
│   ├── ObjectArchived      the object lies in cold storage and must be restored first
│   ├── ObjectChanged       the object is no longer the version that was listed
│   └── StorageUnavailable  the store kept failing, after the bounded retries
├── DocumentError           one document or page could not be opened or rendered: becomes a row, never ends a run
├── CheckpointError         the model cannot be loaded or served as the job asks (exit code 2)
├── EngineDied              the engine's process is gone; the worker restarts it
├── ParityError             the served model does not compute what the reference computes
├── CanaryFailed            labelled pages were read worse than the job allows: nothing else was (exit code 4)
└── RunError                the run cannot go on (exit code 3)
    ├── JobLocked           another run of this job is at work on this sink
    └── WorkersLost         Ray gave up on the workers; what is left is taken up again

A bad page is a row, not an exception; only what stops the whole run travels up from a step.
"""

from pipeline.redact import redact
from schemas.page import Failure, Stage

NOT_COMPLETE = 3
"""The exit code of a run that the same command goes on with, also where a process has to end without an error."""


class PagemillError(Exception):
    """The root; its text is written for the person who reads it and names what to do. It may end in a row, so secrets in it are hidden."""

    def __init__(self, message: str = "") -> None:
        super().__init__(redact(message))


class JobError(PagemillError):
    """The job file or an argument is wrong."""


class StorageError(PagemillError):
    """A store refused, and trying again would not help."""


class ObjectMissing(StorageError):
    """No such object, bucket or file."""


class RowsMoved(ObjectMissing):
    """Rows that were to be added to lie in another file by now."""


class AccessDenied(StorageError):
    """The credentials do not allow it."""


class CredentialsMissing(StorageError):
    """No credentials were found."""


class ObjectArchived(StorageError):
    """The object lies in cold storage."""


class ObjectChanged(StorageError):
    """The object is no longer the version that was listed."""


class StorageUnavailable(StorageError):
    """The store kept failing, after the bounded retries."""


class DocumentError(PagemillError):
    """One document or page could not be opened or rendered.

    `code` is stable: see pipeline.documents for the list.
    """

    def __init__(self, stage: Stage, code: str, message: str) -> None:
        super().__init__(message)
        self.stage: Stage = stage
        self.code = code

    def failure(self) -> Failure:
        """Return the row's form of this error."""
        return Failure(stage=self.stage, code=self.code, message=str(self))


class CheckpointError(PagemillError):
    """The model cannot be loaded or served as the job asks."""


class EngineDied(PagemillError):
    """The engine's process is gone."""


class ParityError(PagemillError):
    """The served model does not compute what the reference computes."""


class CanaryFailed(PagemillError):
    """Labelled pages were read worse than the job allows; nothing else was read."""


class RunError(PagemillError):
    """The run cannot go on; run it again to go on."""


class JobLocked(RunError):
    """Another run of this job is at work on this sink."""


class WorkersLost(RunError):
    """Ray gave up on the workers."""
