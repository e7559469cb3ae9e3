"""Events and commands, and the tables of every kind, filled as classes are defined."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from domain.values import Code, Frozen, PersonalMark, unchanging

EVENTS: Final[dict[str, type["Event"]]] = {}
"""Every kind of event by its topic."""
COMMANDS: Final[dict[str, type["Command"]]] = {}
"""Every command by its path."""
COMMAND_OF_TYPE: Final[dict[str, type["Command"]]] = {}
"""The one command that reports a fact, by CloudEvents type."""


def _personal_fields(fields: dict[str, FieldInfo], of: str) -> frozenset[str]:
    return frozenset(name for name, field in fields.items() if PersonalMark(of) in _marks(field))


def _marks(field: FieldInfo) -> list[Any]:
    # `Personal[X] | None` keeps the mark inside the union, `Personal[X]` on the field itself.
    found = list(field.metadata)
    for part in get_args(field.annotation):
        if get_origin(part) is Annotated:
            found.extend(part.__metadata__)
    return found


class Event(BaseModel):
    """A fact in the past tense: frozen, complete, for ever. `TOPIC` never changes meaning."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_timedelta="iso8601")

    TOPIC: ClassVar[str]
    VERSION: ClassVar[int] = 1
    TYPE: ClassVar[str]
    PERSONAL: ClassVar[frozenset[str]]
    """Names of the fields encrypted under the customer's key."""
    COLLEAGUE: ClassVar[frozenset[str]]
    """Names of the fields encrypted under a colleague's key."""
    FOR_CUSTOMER: ClassVar[bool] = True
    """False for what is never shown to the customer."""

    @classmethod
    def __pydantic_init_subclass__(cls, topic: str | None = None, version: int = 1, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if topic is None:
            return
        if topic in EVENTS:
            raise TypeError(f"two events are called {topic}")
        cls.TOPIC, cls.VERSION, cls.TYPE = topic, version, f"amends.{topic}.v{version}"
        cls.PERSONAL = _personal_fields(cls.model_fields, "customer")
        cls.COLLEAGUE = _personal_fields(cls.model_fields, "colleague")
        EVENTS[topic] = cls

    def links(self) -> tuple[tuple[str, str], ...]:
        """The (kind, value) references under which the customer can be found from now on."""
        return ()

    def __init_subclass__(cls, topic: str | None = None, version: int = 1, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)


class Command(BaseModel):
    """An order: what somebody wants recorded or done. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    PATH: ClassVar[str]
    FACTS: ClassVar[tuple[type[Event], ...]]
    """The fact (or facts) this command reports; their CloudEvents types are the command's."""
    OPENS: ClassVar[bool] = False
    """Whether it opens the relationship when the customer's reference is unknown."""
    SCOPE: ClassVar[str] = "append"

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        path: str | None = None,
        facts: tuple[type[Event], ...] = (),
        opens: bool = False,
        scope: str = "append",
        **kwargs: Any,
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if path is None:
            return
        cls.PATH, cls.FACTS, cls.OPENS, cls.SCOPE = path, facts, opens, scope
        if path in COMMANDS:
            raise TypeError(f"two commands are called {path}")
        COMMANDS[path] = cls
        for fact in facts:
            if fact.TYPE in COMMAND_OF_TYPE:
                raise TypeError(f"two commands report {fact.TYPE}")
            COMMAND_OF_TYPE[fact.TYPE] = cls

    def __init_subclass__(
        cls,
        path: str | None = None,
        facts: tuple[type[Event], ...] = (),
        opens: bool = False,
        scope: str = "append",
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)


RoleClass = Literal["front", "back", "manager", "partner", "system"]


@dataclass(frozen=True)
class Actor(Frozen):
    """Who did it. `ref` stands in the header: `k:<key id>`, `u:<uuid>` (colleague, customer), `s:<service>`."""

    kind: Literal["colleague", "customer", "service"]
    ref: str
    role: Code = "other"
    role_class: RoleClass = "system"

    @property
    def id(self) -> UUID | None:
        """The colleague's or customer's id; None for a service."""
        return UUID(self.ref[2:]) if self.ref.startswith("u:") else None

    @property
    def colleague_id(self) -> UUID | None:
        """The colleague's id; None for a customer or a service."""
        return self.id if self.kind == "colleague" else None


AMENDS: Final = Actor(kind="service", ref="s:amends", role="other", role_class="system")
"""The clock and the duties act as this."""


@unchanging
class Fact:
    """An event with its envelope: everything a fold may look at.

    `occurred_at` is when it happened (or we were told), `recorded_at` when the ledger took it; both UTC.
    """

    event: Event
    stream_id: UUID
    version: int
    position: int
    event_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    source: str
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: str | None = None
    time_known: bool = True


@unchanging
class Context:
    """Everything a decision may use besides the state and the command: time, ids, pseudonyms, who asks."""

    occurred_at: datetime
    recorded_at: datetime
    """The page's clock: when the ledger will record what is decided now."""
    actor: Actor
    new_id: Callable[[], UUID]
    pseudonym: Callable[[str, str], UUID]
    """(kind, the caller's own id) -> a stable UUIDv8 that tells nobody the id. A UUID stays itself."""
    importing: bool = False
    """The credential has the scope import: facts of another system, told long after, run no clock."""
    time_known: bool = True
    references: tuple[tuple[str, str], ...] = ()
    """(kind, value) under which the caller knows a customer whom we do not know yet."""
    named: Callable[[int], UUID | None] = lambda position: None
    """The colleague named by the treatment event at a position (I-21)."""
