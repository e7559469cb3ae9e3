"""Remedy: promised, done, failed, refused with an alternative, or turned down."""

import pytest

from domain.clocks import DeadlineSet
from domain.milestones import RecoveryReopened
from domain.moves.compensation import DeliverCompensation, GrantCompensation
from domain.moves.failure import ReportFailure
from domain.moves.remedy import (
    REMEDY_KIND,
    REPAID_BY,
    DeliverRemedy,
    FailRemedy,
    OfferTurnedDown,
    PromiseRemedy,
    RefuseRequest,
    RemedyDelivered,
    RemedyFailed,
    RemedyPromised,
    RemedyStarted,
    RequestRefused,
    StartRemedy,
    TurnDownOffer,
)
from tests.support.given import colleague, named_id, refused, story
from tests.support.recoveries import (
    PLUMS,
    again,
    closed,
    minute,
    of,
    refused_when_erased,
    reported,
    resolved,
    treated_badly,
)

SWAP = named_id("swap")
VOUCHER = named_id("voucher")


def promised(**fields):
    return reported().when(PromiseRemedy(**({"remedy_kind": "replacement", "remedy_id": SWAP} | fields)), at=5)


def test_a_remedy_is_not_promised_for_what_is_past():
    with refused("invalid_value", field="due_at"):
        promised(due_at=minute(4))
    (promise,) = promised(due_at=minute(5)).then(RemedyPromised)
    assert promise.due_at == minute(5)


def test_a_promise_told_late_counts_from_when_it_was_given():
    tale = reported().when(PromiseRemedy(remedy_kind="repair", due_at=minute(60)), at=5, recorded_at=120)
    assert tale.then(RemedyPromised)[0].due_at == minute(60)


def delivered():
    return promised().when(DeliverRemedy(resolves="full"), at=10)


@pytest.mark.parametrize(
    ("kind", "repaid_by"),
    [
        ("refund", "money_now"),
        ("price_reduction", "money_now"),
        ("credit_note", "money_later"),
        ("points", "money_later"),
        ("replacement", "exchange"),
        ("reperform", "reperformance"),
        ("repair", "reperformance"),
        ("expedite", "expedite"),
        ("reschedule", "expedite"),
        ("redirect", "expedite"),
        ("explanation", "information"),
        ("information", "information"),
        ("gesture", "psychological"),
        ("upgrade_attention", "psychological"),
        ("other", "unknown"),
        ("newer_than_we", "unknown"),
    ],
)
def test_what_a_remedy_repays_follows_from_its_kind(kind, repaid_by):
    (promise,) = reported().when(PromiseRemedy(remedy_kind=kind)).then(RemedyPromised)
    assert (promise.remedy_kind, promise.repaid_by) == (kind, repaid_by)


def test_every_kind_of_remedy_repays_something():
    assert set(REMEDY_KIND.known) == set(REPAID_BY)


def test_what_a_remedy_repays_may_be_told():
    (promise,) = promised(repaid_by="money_now").then(RemedyPromised)
    assert promise.repaid_by == "money_now"
    assert again(promise) == promise


def test_a_promise_is_a_contact_and_the_beginning_of_acting():
    assert of(promised()).phase == "acting"
    assert of(promised()).contacted_at == minute(5)
    assert set(of(promised()).deadlines) == {"acknowledge", "first_action", "remedy"}


def test_a_remedy_id_is_taken_once_in_the_whole_relationship():
    other = ReportFailure(what="late", description="no parcel", recovery_id=named_id("parcel"))
    with refused("already_exists", what="remedy", ref=str(SWAP)):
        promised().when(other).when(
            PromiseRemedy(recovery_id=named_id("parcel"), remedy_kind="refund", remedy_id=SWAP)
        )


def test_beginning_is_a_first_action():
    tale = promised().when(StartRemedy(), at=7)
    assert tale.then(RemedyStarted)[0].remedy_id == SWAP
    assert of(tale).done["first_action"].at == minute(7)
    assert set(of(tale).deadlines) == {"acknowledge", "remedy"}
    assert of(tale).contacted_at == minute(5)
    assert of(tale).remedies[SWAP].status == "started"


def test_a_delivered_remedy_is_something_done():
    tale = delivered()
    assert tale.then(RemedyDelivered)[0].remedy_id == SWAP
    assert of(tale).acted
    assert of(tale).done["remedy"].at == of(tale).done["first_action"].at == minute(10)
    assert set(of(tale).deadlines) == {"acknowledge"}
    assert of(tale).contacted_at == minute(10)


def test_what_was_sent_stops_the_clock_too():
    assert "remedy" not in of(promised().when(DeliverRemedy(how="sent"), at=10)).deadlines


def test_what_resolves_nothing_is_a_first_action_and_no_more():
    tale = promised().when(DeliverRemedy(resolves="none"), at=10)
    assert not of(tale).acted
    assert "remedy" not in of(tale).done
    assert set(of(tale).deadlines) == {"acknowledge", "remedy"}


def test_a_delivery_that_names_its_kind_promises_on_the_spot():
    command = DeliverRemedy(remedy_kind="refund", remedy_id=SWAP, unasked=True)
    promise, delivery = reported().when(command, at=5).then(RemedyPromised, RemedyDelivered)
    assert (promise.remedy_id, promise.repaid_by, promise.unasked) == (SWAP, "money_now", True)
    assert (delivery.remedy_id, delivery.resolves, delivery.how) == (SWAP, "unknown", "done")


def test_a_new_remedy_gets_one_id_for_its_promise_and_its_delivery():
    promise, delivery = reported().when(DeliverRemedy(remedy_kind="refund")).then(RemedyPromised, RemedyDelivered)
    assert promise.remedy_id == delivery.remedy_id


def test_a_delivery_of_the_promised_kind_keeps_that_promise():
    promised().when(DeliverRemedy(remedy_kind="replacement")).then(RemedyDelivered)
    promised().when(DeliverRemedy(remedy_kind="refund")).then(RemedyPromised, RemedyDelivered)


def test_a_delivery_needs_a_promise():
    with refused("unknown_ref", what="remedy", ref=str(SWAP)):
        reported().when(DeliverRemedy(remedy_id=SWAP))
    with refused("unknown_ref", what="remedy"):
        reported().when(DeliverRemedy())


def test_a_remedy_is_delivered_as_what_it_was_promised():
    with refused("invalid_value", field="remedy_kind"):
        promised().when(DeliverRemedy(remedy_id=SWAP, remedy_kind="refund"))


def test_one_of_several_remedies_must_be_named():
    tale = promised().when(PromiseRemedy(remedy_kind="refund"), at=6)
    with refused("invalid_value", field="remedy_id"):
        tale.when(DeliverRemedy(), at=7)
    tale.when(DeliverRemedy(remedy_kind="refund"), at=7).then(RemedyDelivered)


def test_a_remedy_is_delivered_once():
    with refused("already_delivered", what="remedy"):
        delivered().when(DeliverRemedy(remedy_id=SWAP), at=11)
    with refused("already_delivered", what="remedy"):
        delivered().when(StartRemedy(remedy_id=SWAP), at=11)
    with refused("already_delivered", what="remedy"):
        delivered().when(TurnDownOffer(remedy_id=SWAP), at=11)


def test_what_failed_or_was_turned_down_is_not_delivered_any_more():
    with refused("already_ended", what="remedy", how="failed"):
        promised().when(FailRemedy(reason="lost"), at=6).when(DeliverRemedy(remedy_id=SWAP), at=7)
    with refused("already_ended", what="remedy", how="turned_down"):
        promised().when(TurnDownOffer(remedy_id=SWAP), at=6).when(DeliverRemedy(remedy_id=SWAP), at=7)
    with refused("already_ended", what="remedy", how="failed"):
        promised().when(FailRemedy(reason="lost"), at=6).when(FailRemedy(remedy_id=SWAP, reason="lost"), at=7)


def test_a_remedy_that_fails_on_the_way_is_failing_again():
    tale = delivered().when(FailRemedy(reason="bad plums again"), at=20)
    tale.then(RemedyFailed)
    assert of(tale).deviations == 1
    assert of(tale).remedies[SWAP].status == "failed"
    assert not of(tale).acted
    assert "remedy" not in of(tale).done


def test_what_else_was_done_stands_when_a_remedy_fails():
    tale = delivered().when(DeliverRemedy(remedy_kind="refund"), at=12)
    tale.when(FailRemedy(remedy_id=SWAP, reason="bad plums again"), at=20)
    assert of(tale).acted
    assert of(tale).done["remedy"].at == minute(10)


@pytest.mark.parametrize("end", [resolved, closed])
def test_a_remedy_that_fails_after_the_ending_opens_the_recovery_again(end):
    tale = end(delivered()).when(FailRemedy(recovery_id=PLUMS, reason="bad plums again"), at=200)
    _, reopening, *_ = tale.then(RemedyFailed, RecoveryReopened, DeadlineSet, DeadlineSet, DeadlineSet)
    assert reopening.cause == "remedy_failed"
    assert of(tale).phase == "acting"
    assert of(tale).deviations == 1
    assert set(of(tale).deadlines) == {"acknowledge", "first_action", "remedy"}


def test_a_late_delivery_of_an_old_promise_is_taken_after_the_closing_but_a_new_promise_is_not():
    tale = closed(promised())
    tale.when(DeliverRemedy(recovery_id=PLUMS), at=100).then(RemedyDelivered)
    with refused("wrong_phase", phase="closed"):
        tale.when(DeliverRemedy(recovery_id=PLUMS, remedy_kind="refund"), at=101)
    with refused("wrong_phase", phase="closed"):
        tale.when(PromiseRemedy(recovery_id=PLUMS, remedy_kind="refund"), at=101)


def test_a_refusal_needs_an_alternative():
    with refused("no_alternative"):
        reported().when(RefuseRequest(reason="outside_policy"))


@pytest.mark.parametrize(
    "alternative", [{"alternative_kind": "credit_note"}, {"alternative": "a basket of pears"}]
)
def test_a_refusal_with_an_alternative_is_an_answer(alternative):
    tale = reported().when(RefuseRequest(reason="outside_policy", **alternative), at=5)
    (no,) = tale.then(RequestRefused)
    assert again(no) == no
    assert of(tale).acted
    assert of(tale).done["remedy"].at == minute(5)
    assert set(of(tale).deadlines) == {"acknowledge", "first_action"}
    assert of(tale).contacted_at == minute(5)
    assert "pears" not in repr(tale.state)


def test_a_colleague_named_in_a_report_of_poor_treatment_refuses_nothing():
    tale = treated_badly(reported(), by="anna")
    with refused("own_case"):
        tale.when(RefuseRequest(reason="legal", alternative="pears"), actor=colleague("anna"))
    tale.when(RefuseRequest(reason="legal", alternative="pears"), actor=colleague("bert"))


def test_a_remedy_turned_down_is_settled():
    tale = promised().when(TurnDownOffer(remedy_id=SWAP), at=8)
    tale.then(OfferTurnedDown)
    assert of(tale).acted
    assert of(tale).remedies[SWAP].status == "turned_down"
    assert set(of(tale).deadlines) == {"acknowledge", "first_action"}
    assert of(tale).contacted_at == minute(5)


def test_a_compensation_turned_down_is_settled_but_what_was_owed_stays_due():
    tale = reported(severity=3).when(GrantCompensation(kind="voucher", compensation_id=VOUCHER), at=5)
    tale.when(TurnDownOffer(compensation_id=VOUCHER), at=8).then(OfferTurnedDown)
    assert of(tale).acted
    assert of(tale).compensations[VOUCHER].status == "turned_down"
    assert of(tale).done["compensation"].at == minute(8)
    assert set(of(tale).deadlines) == {"acknowledge", "first_action", "remedy"}


def test_only_an_open_offer_can_be_turned_down():
    tale = reported().when(GrantCompensation(kind="voucher", compensation_id=VOUCHER), at=5)
    with refused("invalid_value"):
        tale.when(TurnDownOffer(), at=6)
    with refused("unknown_ref", what="remedy"):
        tale.when(TurnDownOffer(remedy_id=SWAP), at=6)
    with refused("unknown_ref", what="compensation"):
        tale.when(TurnDownOffer(compensation_id=SWAP), at=6)
    with refused("already_delivered", what="compensation"):
        tale.when(DeliverCompensation(), at=6).when(TurnDownOffer(compensation_id=VOUCHER), at=7)


@pytest.mark.parametrize(
    "command",
    [
        PromiseRemedy(remedy_kind="refund"),
        StartRemedy(),
        DeliverRemedy(remedy_kind="refund"),
        FailRemedy(reason="lost"),
        RefuseRequest(reason="legal", alternative="pears"),
        TurnDownOffer(remedy_id=SWAP),
    ],
    ids=lambda command: command.PATH,
)
def test_a_remedy_needs_a_recovery_of_a_customer_we_remember(command):
    with refused("unknown_ref", what="open recovery"):
        story().when(command)
    refused_when_erased(command)
