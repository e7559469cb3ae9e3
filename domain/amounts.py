"""Amounts: what must hold of the sums of money in one grant."""

from fractions import Fraction
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from domain.currencies import exponent
from domain.errors import CurrencyMismatch, InvalidValue
from domain.values import MAX_INT, Code, Moment, Money

Rate = Annotated[int, Field(ge=1, le=MAX_INT, strict=True)]


_SHIFT: Final = 4
"""No two currencies differ by more decimal places."""


class Fx(BaseModel):
    """The rate between two currencies, as a fraction of whole numbers, and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate_num: Rate
    rate_den: Rate
    source: Code
    at: Moment


def exchanged(money: Money, fx: Fx, currency: str) -> Money:
    """The same in another currency, to its last decimal place, half to even.

    Raises InvalidValue where the rate leads to nothing, or beyond all money.
    """
    scale = 10 ** (exponent(currency) - exponent(money.currency) + _SHIFT)
    minor = round(Fraction(money.minor * fx.rate_num * scale, fx.rate_den * 10**_SHIFT))
    if not 0 < minor <= MAX_INT:
        raise InvalidValue("fx", f"at this rate {money} is no amount in {currency}")
    return Money(minor=minor, currency=currency)


def in_currency(money: Money | None, fx: Fx | None, currency: str | None) -> Money | None:
    """The same in the currency of the budget; as it is where that is no other. Raises as `exchanged`."""
    if money is None or fx is None or currency in (None, money.currency):
        return money
    return exchanged(money, fx, currency)


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
