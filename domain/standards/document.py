"""Document: what every standard is, whatever its kind: a name, a version, and a body from a moment on."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer, StringConstraints

from domain.values import Count, Moment, Money

ALWAYS: Final = datetime(1900, 1, 1, tzinfo=UTC)
SHIPPED: Final = "shipped"
"""The name of what ships with the program. A document published under it takes its place."""

RECORDED: Final = {"recorded": True}
"""The context in which a body is read that was published: what was taken once is never refused."""


T = TypeVar("T")
SetOf = Annotated[frozenset[T], PlainSerializer(sorted, return_type=list[T])]
"""A set that is always written in the same order."""


class Body(BaseModel):
    """The content of a standard: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="iso8601")

    KIND: ClassVar[str]

    def outside(self) -> dict[str, Any]:
        """As callers write and read it: money as `{"amount", "currency"}`, and what is not said left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, context=Money.OUTSIDE)


B = TypeVar("B", bound=Body)


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]{1,40}$")]
"""Short enough for kind and name together to be a code."""


class Standard(BaseModel, Generic[B]):
    """One version of one standard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    version: Count = 1
    effective_from: Moment = ALWAYS
    body: B

    @property
    def ref(self) -> str:
        """The name that events carry: kind and name, as in `targets:shipped`."""
        return f"{self.body.KIND}:{self.name}"
