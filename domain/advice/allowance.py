"""Allowance: what the asker may still give this customer."""

from datetime import datetime

from domain.advice.advice import AfterApproval, AuthorityLeft
from domain.recovery import Recovery
from domain.relationship import Relationship
from domain.standards.authority import Asked, Asker, Rule, Ruling
from domain.standards.house import House
from domain.values import Money


def authority_left(
    house: House, relationship: Relationship, recovery: Recovery | None, asker: Asker, as_of: datetime
) -> AuthorityLeft:
    """What he may give out of goodwill now, in the currency of the loss if one is known."""
    asked = asked_in(recovery)
    approved = _after_approval(house.may_ask_for(asker, asked))
    ruling = house.may_give(asker, asked)
    if ruling is None:
        return AuthorityLeft(after_approval=approved)
    rule, currency = ruling.rule, ruling.rule.per_grant.currency
    given = relationship.goodwill_since(rule.counts_from(as_of), currency)
    return AuthorityLeft(
        up_to=_left(rule, relationship, as_of),
        kinds=tuple(sorted(rule.kinds)),
        given=Money(minor=given, currency=currency),
        per_grant=rule.per_grant,
        per_customer=rule.per_customer.limit if rule.per_customer else None,
        per_colleague_day=rule.per_colleague_day,
        standard=ruling.standard,
        version=ruling.version,
        rule_id=rule.rule_id,
        after_approval=approved,
    )


def left_alone(
    house: House, relationship: Relationship, asker: Asker, asked: Asked, as_of: datetime
) -> Money | None:
    """What he may still give this customer of what is asked about; None where no rule lets him give it alone."""
    ruling = house.may_give(asker, asked)
    return None if ruling is None else _left(ruling.rule, relationship, as_of)


def _left(rule: Rule, relationship: Relationship, as_of: datetime) -> Money:
    currency = rule.per_grant.currency
    given = relationship.goodwill_since(rule.counts_from(as_of), currency)
    return rule.left(given + relationship.goodwill_asked(currency, fallback=rule.alone))


def asked_in(recovery: Recovery | None) -> Asked:
    """Goodwill in the currency of the loss, where one is known; else in any."""
    loss = None if recovery is None else recovery.loss
    return Asked(currency=loss.currency if loss else None)


def _after_approval(ruling: Ruling | None) -> AfterApproval | None:
    if ruling is None:
        return None
    rule = ruling.rule
    return AfterApproval(
        up_to=rule.per_grant, by=rule.approval, max_wait=rule.max_wait, kinds=tuple(sorted(rule.kinds))
    )
