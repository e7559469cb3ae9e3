"""Houses with rules of their own, in few words."""

from typing import Any

from domain.standards.authority import Authority
from domain.standards.document import Standard
from domain.standards.house import House
from tests.support.given import START


def ruled_by(*more: dict[str, Any], **rule: Any) -> House:
    """A house in which these rules say who may give what, and no other."""
    rules = [*more, *([rule] if rule else [])]
    return House.at(START, [Standard[Authority](name="shipped", version=2, body=Authority(rules=rules))])
