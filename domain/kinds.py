"""Events and commands, and the tables of every kind, filled as classes are defined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    Protocol,
    Self,
    TypeVar,
    get_args,
    get_origin,
)
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from domain.standards.house import House
from domain.values import Code, Frozen, PersonalMark, unchanging
from domain.vocabulary import RoleClass

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


class Aggregate(Protocol):
    """What one stream has come to: what the next command on it is decided by."""

    NAME: ClassVar[str]
    """What it is called when there is no such thing."""

    @property
    def stream_id(self) -> UUID:
        """The stream that holds its events."""

    @property
    def version(self) -> int:
        """How many events it has; 0 before the first."""

    @property
    def position(self) -> int:
        """Where the last of them stands in the ledger."""

    @property
    def strange(self) -> bool:
        """Whether the stream holds events of something else: then it is not one of these."""

    @classmethod
    def begun(cls, stream_id: UUID) -> Self:
        """Before its first event."""

    def after(self, fact: "Fact") -> Self:
        """The same after one more fact."""


S = TypeVar("S", bound=Aggregate)


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
    OF: ClassVar[str] = ""
    """The name of the aggregate it changes; empty where a program does not know the kind."""
    FOR_CUSTOMER: ClassVar[bool] = True
    """False for what is never shown to the customer."""
    FOR_PERSONNEL: ClassVar[bool] = False
    """True for what tells of a report about a colleague: it goes out to those who may see such reports."""

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

    def forgets(self) -> tuple[int, ...]:
        """Positions of this stream at which nobody can read from now on which colleague is named."""
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
    ON: ClassVar[type[Aggregate]]
    """What it is a command on."""

    def decide(self, state: Any, at: "Context") -> "Sequence[Event | Elsewhere]":
        """What follows, or a refusal raised. The first is an event of the stream it is a command on."""
        raise NotImplementedError

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
class Elsewhere:
    """An event of another stream that follows from a command. All of them are recorded, or none."""

    stream: Aggregate
    """What that stream has come to, as `Context.other` gave it."""
    event: Event


UNPUBLISHED: Final = House.at(datetime.max.replace(tzinfo=UTC))
"""The house that has published nothing."""


class Others(Protocol):
    """Finds other aggregates of the ledger, by stream or by reference."""

    def __call__(self, kind: type[S], stream: UUID | tuple[str, str]) -> S | None:
        """What that stream has come to, before its first event too; None where no stream has the reference."""


def no_others(kind: type[S], stream: UUID | tuple[str, str]) -> S | None:
    """Where there is nothing but the one stream: others have not begun."""
    return kind.begun(stream) if isinstance(stream, UUID) else None


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
    other: Others = no_others
    currencies: Callable[[str], frozenset[str]] = lambda cost_centre: frozenset()
    """(cost centre) -> the currencies in which it ever had a budget."""
    house: House = UNPUBLISHED
    """The standards in force when it happened."""
    history: Callable[[UUID], Sequence[Fact]] = lambda stream: ()
    """All that is recorded in a stream, personal parts withheld: for what is told of it, not for rules."""


def looking_ahead(at: Context, decided: Sequence[Event | Elsewhere]) -> Context:
    """The same, with the other aggregates as they will be once this is recorded."""
    ahead: dict[UUID, Aggregate] = {}
    for one in decided:
        if isinstance(one, Elsewhere):
            stream = one.stream.stream_id
            ahead[stream] = _assumed(ahead.get(stream, one.stream), one.event, at)
    if not ahead:
        return at

    def other(kind: type[S], stream: UUID | tuple[str, str]) -> S | None:
        found = at.other(kind, stream)
        known = None if found is None else ahead.get(found.stream_id)
        return known if isinstance(known, kind) else found

    return replace(at, other=other)


def _assumed(state: S, event: Event, at: Context) -> S:
    """The state as it would be if this event were recorded now. Positions and ids are not known yet."""
    return state.after(
        Fact(
            event=event,
            stream_id=state.stream_id,
            version=state.version + 1,
            position=0,
            event_id=state.stream_id,
            occurred_at=at.occurred_at,
            recorded_at=at.recorded_at,
            actor=at.actor,
            source="",
        )
    )
