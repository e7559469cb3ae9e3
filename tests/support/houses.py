"""Houses with rules of their own, in few words."""

from typing import Any

from domain.standards.authority import Authority
from domain.standards.calendar import WEEK, Calendar
from domain.standards.document import Standard
from domain.standards.house import House
from domain.standards.targets import TARGETS, Targets
from tests.support.given import START


def ruled_by(*more: dict[str, Any], **rule: Any) -> House:
    """A house in which these rules say who may give what, and no other."""
    rules = [*more, *([rule] if rule else [])]
    return House.at(START, [Standard[Authority](name="shipped", version=2, body=Authority(rules=rules))])


WEEKDAYS = Calendar(zone="Europe/Athens", hours=dict.fromkeys(WEEK[:5], (("09:00", "17:00"),)))
"""Nine to five on weekdays in Athens: from 07:00 to 15:00 UTC, and an hour earlier from 29 March 2026 on."""


def open_on_weekdays(*others: Standard[Any], version: int = 2, **allowances: Any) -> House:
    """A house that is open on weekdays and counts what ships, or these allowances, in its own hours."""
    promised = TARGETS.body.model_copy(
        update={"allowances": {**TARGETS.body.allowances, **allowances}, "calendar": "shop"}
    )
    return House.at(
        START,
        [
            Standard[Calendar](name="shop", version=2, body=WEEKDAYS),
            Standard[Targets](name="shipped", version=version, body=promised),
            *others,
        ],
    )
