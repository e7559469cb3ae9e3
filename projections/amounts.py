"""Amounts: sums of money as reports tell them, which may lie below zero."""

from decimal import Decimal

from pydantic import BaseModel

from domain.currencies import exponent


class Amount(BaseModel):
    """A sum in major units of its currency, as decimal text: 5475.00 EUR."""

    amount: str
    currency: str


def amount(minor: int, currency: str) -> Amount:
    """So many minor units of this currency."""
    places = exponent(currency)
    return Amount(amount=f"{Decimal(minor).scaleb(-places):.{places}f}", currency=currency)
