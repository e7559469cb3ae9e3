"""Amounts: what must hold of the sums of money in one grant."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import CurrencyMismatch, InvalidValue
from domain.values import MAX_INT, Code, Moment, Money

Rate = Annotated[int, Field(ge=1, le=MAX_INT, strict=True)]


class Fx(BaseModel):
    """The rate between two currencies, as a fraction of whole numbers, and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate_num: Rate
    rate_den: Rate
    source: Code
    at: Moment


def refuse_amounts(value: Money | None, cost: Money | None, fx: Fx | None) -> None:
    """Raises InvalidValue for an amount of nothing, CurrencyMismatch for two currencies without a rate (I-10)."""
    for field, money in (("value", value), ("cost", cost)):
        if money is not None and money.minor == 0:
            raise InvalidValue(field, "an amount is above zero; leave it out where it is not known")
    if value and cost and value.currency != cost.currency and fx is None:
        raise CurrencyMismatch(expected=value.currency, given=cost.currency)


def percent_of(value: Money | None, loss: Money | None) -> int | None:
    """How many percent of the loss the value makes good, rounded down; None where nobody can say."""
    if value is None or loss is None or value.currency != loss.currency or loss.minor == 0:
        return None
    return min(value.minor * 100 // loss.minor, MAX_INT)
