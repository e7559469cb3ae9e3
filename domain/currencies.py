"""Currencies: the codes of ISO 4217, and how money in one of them is told from outside."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, LiteralString

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

MOST_MINOR: Final = 2**53 - 1

_IN_USE: Final = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR
NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF
XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
_GONE: Final = """
ANG BGN BYR CUC EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL
"""
CURRENCIES: Final = frozenset((_IN_USE + _GONE).split())
"""Those in use, and those that were in use not long ago. What is stored may hold others."""
_PLAIN: Final = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,4})?")
_MEMBERS: Final = ("amount", "currency")


# ISO 4217 minor units other than two. BYR had none: what is stored in it was taken with two, and keeps them.
_EXPONENTS: Final[Mapping[str, int]] = {
    **dict.fromkeys(
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"]
        + ["UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def exponent(currency: str) -> int:
    """How many decimal places the currency has. Source: ISO 4217."""
    return _EXPONENTS.get(currency, 2)


def told(money: Mapping[str, Any]) -> dict[str, Any]:
    """Money as it is told from outside, in minor units. Raises ValidationError at the member that is wrong."""
    faults = list(_faults(money))
    if faults:
        raise ValidationError.from_exception_data("Money", faults)
    scaled = Decimal(money["amount"]).scaleb(exponent(money["currency"]))
    return {"minor": int(scaled), "currency": money["currency"]}


def _faults(money: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    for name in (*_MEMBERS, *(one for one in money if one not in _MEMBERS)):
        fault = _fault(money, name)
        if fault is not None:
            yield InitErrorDetails(type=fault, loc=(name,), input=money)


def _fault(money: Mapping[str, Any], name: str) -> str | PydanticCustomError | None:
    if name not in _MEMBERS:
        return "extra_forbidden"
    if name not in money:
        return "missing"
    if not isinstance(money[name], str):
        return "string_type"
    reason = _wrong_amount(money) if name == "amount" else _wrong_currency(money[name])
    return reason and PydanticCustomError("value_error", reason)


def _wrong_currency(code: str) -> LiteralString | None:
    return None if code in CURRENCIES else "a currency is a code of ISO 4217, as in EUR"


def _wrong_amount(money: Mapping[str, Any]) -> LiteralString | None:
    if _PLAIN.fullmatch(money["amount"]) is None:
        return "an amount is plain decimal digits, as in 12.50"
    currency = money.get("currency")
    if not isinstance(currency, str) or currency not in CURRENCIES:
        return None
    scaled = Decimal(money["amount"]).scaleb(exponent(currency))
    if scaled != int(scaled):
        return "an amount has no more decimal places than its currency"
    return None if scaled <= MOST_MINOR else "an amount is at most 2^53-1 in the smallest unit"
