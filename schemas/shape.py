"""The base of every pydantic shape: frozen, and no key is accepted that it does not declare."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A frozen value with exactly the declared keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
