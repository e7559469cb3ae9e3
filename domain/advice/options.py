"""Options: what there is to choose from at a step, the best first.

Ranked by what it is worth to the customer for what it costs the house, ties by id; what is above the asker's
authority comes last, with who can. Handing over is always among them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from domain.advice.advice import Option
from domain.advice.allowance import asked_in
from domain.advice.look import Look
from domain.satisfaction.justice import MATCH, OTHERWISE
from domain.standards.authority import Asked
from domain.standards.playbook import Offer, RemedyOffer
from domain.values import Money
from domain.vocabulary import COMPENSATION_KIND, REPAID_BY

HAND_OVER: Final = Option(id="hand-over", command="hand-off")
"""Anybody may, at any time, and nobody counts it."""
WORTH: Final = {
    "free_item": 360,
    "upgrade": 300,
    "service_extension": 200,
    "points": 130,
    "voucher": 130,
    "donation": 100,
}
"""What a compensation is worth to the customer, in percent of its cost, where no offer says so. An assumption: a
free starter is worth 9.00 and costs 2.50; money is worth what it costs."""
_MONEY: Final = 100


def ranked(options: Iterable[Option]) -> tuple[Option, ...]:
    """These options in their order, with handing over after all that the asker may do."""
    given = list(options)
    allowed = [one for one in given if not one.approval]
    above = [one for one in given if one.approval]
    return (*allowed, HAND_OVER, *above)


def acts(look: Look, *commands: str) -> tuple[Option, ...]:
    """Things to do, in this order, each named by the command that records it."""
    return ranked(Option(id=command, command=command) for command in commands)


def remedies(look: Look, command: str) -> list[Option]:
    """What would put it right: the playbook's remedies, or where it names none what repays in kind what was lost.

    Before it has happened, what keeps it from happening comes first, unless that costs more.
    """
    offers = look.playbook.body.remedies or _in_kind(look.recovery.resource)
    predicted = look.recovery.detection == "predicted"
    cheapest = min((one.weight for one in offers if not one.preventive), default=0)

    def order(one: RemedyOffer) -> tuple[bool, int, str]:
        prevents = predicted and one.preventive and one.weight <= cheapest
        # Sixtieths, so that no effort from 1 to 5 leaves a rest.
        return not prevents, -(_points(look, one) * 60 // one.weight), one.kind

    return [_remedy(look, one, command) for one in sorted(offers, key=order)]


def _in_kind(resource: str) -> tuple[RemedyOffer, ...]:
    match = _match(resource)
    return tuple(RemedyOffer(kind=kind) for kind, by in REPAID_BY.items() if match.get(by) == max(match.values()))


def _points(look: Look, offer: RemedyOffer) -> int:
    return _match(look.recovery.resource).get(REPAID_BY[offer.kind], OTHERWISE)


def _match(resource: str) -> Mapping[str, int]:
    return MATCH.get(resource, MATCH["unknown"])


def _remedy(look: Look, offer: RemedyOffer, command: str) -> Option:
    return Option(
        id=f"{command}:{offer.kind}",
        command=command,
        kind=offer.kind,
        points=_points(look, offer),
        effort=offer.weight,
        preventive=offer.preventive,
    )


def compensations(look: Look) -> list[Option]:
    """What could be given on top: the playbook's offers, or the kinds of compensation where it has none."""
    offers = look.playbook.body.offers
    found = [_offered(look, one) for one in offers] if offers else [_of_kind(look, kind) for kind in _KINDS]
    return sorted(found, key=lambda one: (one.approval, -(one.points or 0), one.id))


_KINDS: Final = tuple(kind for kind in COMPENSATION_KIND.known if kind != "other")


def _offered(look: Look, offer: Offer) -> Option:
    asked = Asked(kind=offer.kind, currency=offer.cost.currency)
    left = look.left_of(asked)
    above = left is None or offer.cost.minor > left.minor
    return Option(
        id=f"grant-compensation:{offer.offer_id}",
        command="grant-compensation",
        kind=offer.kind,
        points=offer.value.minor * 100 // offer.cost.minor,
        value=offer.value,
        cost=offer.cost,
        approval=above,
        who_can=tuple(look.house.who_can(offer.cost, asked)) if above else (),
    )


def _of_kind(look: Look, kind: str) -> Option:
    asked = replace(asked_in(look.recovery), kind=kind)
    left = look.left_of(asked)
    above = left is None or left.minor == 0
    least = Money(minor=1, currency=left.currency if left else asked.currency or "EUR")
    return Option(
        id=f"grant-compensation:{kind}",
        command="grant-compensation",
        kind=kind,
        points=WORTH.get(kind, _MONEY),
        approval=above,
        who_can=tuple(look.house.who_can(least, asked)) if above else (),
    )
