"""Escalation: called in, settled, and called in again."""

from domain.milestones import EscalationRaised
from domain.moves.escalation import Escalate, EscalationSettled, SettleEscalation
from tests.support.given import refused
from tests.support.stories import only, reported


def test_the_first_escalation_is_of_level_one():
    (raised,) = reported().when(Escalate(trigger="supervisor_demanded"), at=1).then(EscalationRaised)
    assert (raised.level, raised.trigger) == (1, "supervisor_demanded")


def test_the_next_one_goes_a_level_up_and_no_higher_than_three():
    plums = reported()
    for level in (1, 2, 3, 3):
        (raised,) = plums.when(Escalate(trigger="colleague_request"), at=level).then(EscalationRaised)
        assert raised.level == level


def test_a_caller_may_name_the_level():
    (raised,) = reported().when(Escalate(trigger="safety", level=3), at=1).then(EscalationRaised)
    assert raised.level == 3


def test_an_escalation_does_not_sink():
    with refused("invalid_value", field="level"):
        reported().when(Escalate(trigger="legal", level=2), at=1).when(Escalate(trigger="media", level=1), at=2)


def test_an_escalation_is_settled():
    plums = reported().when(Escalate(trigger="media"), at=1)
    (settled,) = plums.when(SettleEscalation(how="Called him at home."), at=2).then(EscalationSettled)
    assert settled.how == "Called him at home."
    assert only(plums).escalation is None


def test_what_was_not_escalated_is_not_settled():
    with refused("unknown_ref", what="open escalation"):
        reported().when(SettleEscalation(how="Nothing to do."), at=1)
