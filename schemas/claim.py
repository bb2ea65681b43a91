"""A claim: who is at work on something that only one run may do at a time."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from schemas.shape import Shape


class Claim(Shape):
    """One process's claim, as it lies on storage.

    `machine` and `process_started` tell a process from a later one of the same pid; None where the system does not say.
    """

    model_config = ConfigDict(extra="ignore")  # a later version may say more

    owner: str
    host: str
    pid: int
    machine: str | None = None
    process_started: int | None = None
    since: datetime


class Sign(Claim):
    """A sign of life: whose it is, and whether the claim is wanted or held."""

    state: Literal["wanting", "holding"]
