"""The small values every event is made of: money, ids, words that are personal, lists that may grow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Final, NewType, Self, TypeVar, dataclass_transform
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializationInfo,
    StringConstraints,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from domain.currencies import exponent, told
from domain.written import Written

CustomerId = NewType("CustomerId", UUID)
RecoveryId = NewType("RecoveryId", UUID)
RemedyId = NewType("RemedyId", UUID)
CompensationId = NewType("CompensationId", UUID)
InvitationId = NewType("InvitationId", UUID)
ObstacleId = NewType("ObstacleId", UUID)
CommitmentId = NewType("CommitmentId", UUID)
GestureId = NewType("GestureId", UUID)
BudgetId = NewType("BudgetId", UUID)
ColleagueId = NewType("ColleagueId", UUID)

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST), AfterValidator(_in_utc), Written("moment")]
"""A moment of the years 1900 to 2200, in UTC. At the ends of the calendar a zone's offset leaves it, and what
was stored could not be read back."""
MAX_INT: Final = 2**53 - 1

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9._:-]{1,64}$")]
"""An id or code of the caller's world: lower case, no spaces, never words about a person."""

Severity = Annotated[int, Field(ge=1, le=5, strict=True)]
Degree = Annotated[int, Field(ge=1, le=3, strict=True)]
Rating = Annotated[int, Field(ge=1, le=5, strict=True)]
Count = Annotated[int, Field(ge=0, le=MAX_INT, strict=True)]


def _speakable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text must not contain U+0000")
    return text


@dataclass(frozen=True, slots=True)
class _NoNul:
    """Refuses U+0000, which PostgreSQL cannot store and canonical JSON forbids."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_speakable, handler(source))


Words = Annotated[str, StringConstraints(min_length=1, max_length=40_000), _NoNul()]
"""Free text. Always personal: a test forbids it outside `Personal`."""

CallerRef = Annotated[str, StringConstraints(min_length=1, max_length=200), _NoNul()]
"""An id as the caller writes it (a login, an order number). Stored only as a pseudonym, or as Personal."""


class Absent:
    """Stands where a personal value is not shown. Never None and never an empty string."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why

    def __repr__(self) -> str:
        return f"<{self.why}>"


WITHHELD: Final = Absent("withheld")
ERASED: Final = Absent("erased")


def _keep_absent(value: Any, handler: Any) -> Any:
    return value if isinstance(value, Absent) else handler(value)


@dataclass(frozen=True, slots=True)
class PersonalMark:
    """Marks a field as personal data of the customer, or of a colleague; it is stored encrypted."""

    of: str = "customer"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # Only Python code can bring in an Absent. JSON is read without the detour: through it an array would
        # reach a strict tuple as a list, and be refused.
        kept = core_schema.no_info_wrap_validator_function(_keep_absent, handler(source))
        return core_schema.json_or_python_schema(json_schema=handler(source), python_schema=kept)


T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def unchanging(cls: type[T]) -> type[T]:
    """A dataclass with slots that nobody changes once it is made: mypy sees to it.

    Checked at run time, as `frozen=True` does, making one takes four times as long, and every event makes ten.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


Personal = Annotated[T, PersonalMark("customer")]
"""Personal data of the customer: encrypted under his own key, erased with it."""
ColleaguePersonal = Annotated[T, PersonalMark("colleague")]
"""Personal data of a named colleague: encrypted under that colleague's own key."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """A list that may grow: a value unknown to us is kept as it came and treated as `other`."""

    known: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.str_schema(pattern=r"^[a-z][a-z0-9_]{0,63}$")

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        known = {"type": "string", "enum": list(self.known)}
        newer = {"type": "string", "pattern": r"^[a-z][a-z0-9_]{0,63}$"}
        return {"anyOf": [known, newer], "description": "a newer value is kept and treated as `other`"}

    def read(self, value: str) -> str:
        """The value if we know it, else `other`."""
        return value if value in self.known else "other"


Channel = Annotated[
    str,
    OneOf(
        ("in_person", "phone", "chat", "email", "letter", "sms", "messaging", "social", "web_form", "app")
        + ("review_site", "regulator", "other")
    ),
]
"""How we and the customer reached each other."""


def _minor_units(amount: Any, currency: Any) -> int:
    if not isinstance(amount, str) or not isinstance(currency, str):
        raise ValueError('money is {"amount": "12.50", "currency": "EUR"}: both are strings')
    if len(amount) > 32 or not amount.lstrip("-").replace(".", "", 1).isdigit() or not amount.isascii():
        raise ValueError("amount must be plain decimal digits, as in 12.50")
    try:
        scaled = Decimal(amount).scaleb(exponent(currency))
        minor = int(scaled)
    except InvalidOperation:
        raise ValueError("amount is not a number") from None
    if minor != scaled:
        raise ValueError(f"{currency} has {exponent(currency)} decimal places")
    return minor


class Money(BaseModel):
    """A sum of money in whole minor units of an ISO 4217 currency.

    Outside it is `{"amount": "12.50", "currency": "EUR"}`; stored it is `{"minor": 1250, "currency": "EUR"}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    OUTSIDE: ClassVar[dict[str, str]] = {"money": "amount"}
    """The context that asks for the outside form: all that is told, and all that is taken."""

    minor: Annotated[int, Field(ge=0, le=MAX_INT, strict=True)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    @model_validator(mode="before")
    @classmethod
    def _from_outside(cls, value: Any, info: ValidationInfo) -> Any:
        if info.context and info.context.get("money") == "amount":
            return told(value) if isinstance(value, Mapping) else value
        # What is stored was taken by the rules of its day, and is read as it always was.
        if isinstance(value, Mapping) and set(value) == {"amount", "currency"}:
            return {"minor": _minor_units(value["amount"], value["currency"]), "currency": value["currency"]}
        return value

    @model_serializer
    def _dump(self, info: SerializationInfo) -> dict[str, Any]:
        if info.context and info.context.get("money") == "amount":
            return {"amount": self.amount, "currency": self.currency}
        return {"minor": self.minor, "currency": self.currency}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "type": "object",
            "title": "Money",
            "properties": {
                "amount": {"type": "string", "pattern": r"^\d{1,16}(\.\d{1,4})?$", "examples": ["12.50"]},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]},
            },
            "required": ["amount", "currency"],
            "additionalProperties": False,
        }

    @property
    def amount(self) -> str:
        """The amount in major units, as decimal text."""
        places = exponent(self.currency)
        return f"{Decimal(self.minor).scaleb(-places):.{places}f}"

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


@dataclass(frozen=True)
class Frozen:
    """A plain immutable value with a cheap copy-with-changes."""

    def but(self, **changes: Any) -> Self:
        """The same value with these fields changed. Folds live on it: `dataclasses.replace` is slower."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.__dict__.update(changes)
        return copy

    def completed(self, **changes: Any) -> Self:
        """This very value with these fields changed: only for a copy made a moment ago, which nobody else has."""
        self.__dict__.update(changes)
        return self
