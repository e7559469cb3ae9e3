"""The rules of the satisfaction score that no golden story touches, one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.clocks import DeadlineMissed, DeadlineMoved, DeadlineSet, SilenceNoticed
from domain.kinds import AMENDS, Event, Fact
from domain.milestones import RecoveryReopened, SatisfactionStated
from domain.moves.apology import ApologyMade
from domain.moves.compensation import CompensationDelivered, CompensationGranted, CompensationReversed
from domain.moves.contact import InformationRequested
from domain.moves.failure import FailureReassessed, FailureReported
from domain.moves.gesture import GestureMade
from domain.moves.loyalty import CustomerLost, CustomerReturned
from domain.moves.outcome import RecoveryResolved
from domain.moves.relationship import EncounterCompleted
from domain.moves.remedy import RemedyDelivered, RemedyFailed, RemedyPromised, RemedyStarted
from domain.moves.treatment import TreatmentReported
from domain.moves.voice import LeavingAnnounced
from domain.satisfaction import START, Score, band, justice, recovery_satisfaction, step
from tests.support.given import CUSTOMER, named_id

BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = 24 * 60
Happened = tuple[float, Event]


def scored(*happened: Happened, score: Score = START) -> Score:
    return told(*happened, score=score)[0]


def told(*happened: Happened, score: Score = START) -> tuple[Score, list[tuple[str, int]]]:
    """The score after these (minute, event), and its terms as (label, change)."""
    terms = []
    for n, (minutes, event) in enumerate(happened, start=1):
        moment = BEGINNING + timedelta(minutes=minutes)
        score, made = step(score, a_fact(event, n, moment))
        terms += [(term.label, term.change) for term in made]
    return score, terms


def a_fact(event: Event, n: int, moment: datetime) -> Fact:
    return Fact(
        event=event,
        stream_id=CUSTOMER,
        version=n,
        position=n,
        event_id=named_id(f"fact {n}"),
        occurred_at=moment,
        recorded_at=moment,
        actor=AMENDS,
        source="urn:test",
    )


def failure(name: str = "a", **given: Any) -> FailureReported:
    usual: dict[str, Any] = {
        "what": "other",
        "failure_kind": "core",
        "resource": "goods",
        "severity": 2,
        "fault": "firm",
        "similarity_key": "milk",
        "description": "it went wrong",
    }
    return FailureReported(recovery_id=named_id(name), **(usual | given))


def clock(step_: str, minutes: int, name: str = "a") -> DeadlineSet:
    due_at = BEGINNING + timedelta(minutes=minutes)
    return DeadlineSet(recovery_id=named_id(name), step=step_, due_at=due_at, standard="targets:test")


def apology(**given: Any) -> ApologyMade:
    return ApologyMade(**({"recovery_id": named_id("a"), "stage": "acknowledgement", "said": "admits"} | given))


def remedy(repaid_by: str = "exchange", resolves: str = "full") -> tuple[RemedyPromised, RemedyDelivered]:
    ids = {"recovery_id": named_id("a"), "remedy_id": named_id(f"{repaid_by} {resolves}")}
    return (
        RemedyPromised(**ids, remedy_kind="other", repaid_by=repaid_by),
        RemedyDelivered(**ids, resolves=resolves),
    )


def compensation(
    pct: int | None, *, late: bool = False, name: str = "c"
) -> tuple[CompensationGranted, CompensationDelivered]:
    ids = {"recovery_id": named_id("a"), "compensation_id": named_id(name)}
    granted = CompensationGranted(**ids, kind="voucher", basis="goodwill", pct_of_loss=pct)
    return granted, CompensationDelivered(**ids, late=late)


def justice_after(*happened: Happened) -> tuple[int, int, int]:
    return justice(scored(*happened).recoveries[named_id("a")])


# Failures


def test_severities_take_away_more_and_more():
    totals = [scored((0, failure(severity=n))).total for n in (1, 2, 3, 4, 5)]
    assert totals == [6700, 6200, 5500, 4500, 3000]


def test_the_customers_severity_counts_if_he_gave_one():
    assert scored((0, failure(severity=5, severity_customer=2))).total == 6200


@pytest.mark.parametrize(
    ("days", "key", "loss"),
    [
        (30, "milk", 1496),  # 150 * 125 // 100 = 187 percent
        (30, "other", 1000),
        (31, "milk", 1200),
        (180, "milk", 1200),
        (181, "milk", 800),
        (31, "other", 800),
        (-200, "milk", 1496),  # late news: a negative distance counts as 0
    ],
)
def test_a_failure_weighs_more_after_a_similar_or_a_recent_one(days: int, key: str, loss: int):
    before = scored((0, failure("first")))
    after = scored((days * DAY, failure(similarity_key=key)), score=before)
    assert before.total - after.total == loss


def test_a_similar_failure_is_remembered_behind_later_ones():
    facts = (0, failure("a")), (300 * DAY, failure("b")), (10 * DAY, failure("c", similarity_key="other"))
    # Ten days after the first, told after the second: both lie within its windows.
    assert scored(*facts).total == 7000 - 800 - 800 - 1000


def test_a_reassessed_severity_changes_the_loss_by_one_term_and_the_healing_by_another():
    reassessed = FailureReassessed(recovery_id=named_id("a"), field="severity", to="1", reason="looked again")
    _, terms = told((0, failure()), (0, clock("acknowledge", 30)), (5, apology()), (9, reassessed))
    assert terms == [
        ("FailureReported", -800),
        ("ApologyMade", 192),  # 8 + 10 + 10 + 30 = 58 for how he was met; 58 * 42 // 100 = 24 percent of 800
        ("FailureReassessed", 500),
        ("FailureReassessed", -120),  # 24 percent of 300 instead
    ]


def test_a_reassessed_resource_only_heals_anew():
    paid_back, delivered = remedy("money_now")
    reassessed = FailureReassessed(
        recovery_id=named_id("a"), field="resource", to="monetary", reason="looked again"
    )
    happened = (0, failure(severity=3)), (5, paid_back), (5, delivered)
    assert justice_after(*happened) == (40, 30, 85)
    assert justice_after(*happened, (9, reassessed)) == (90, 30, 85)


# What he got


@pytest.mark.parametrize(
    ("pct", "late", "points"),
    [(60, False, 18), (25, False, 7), (100, False, 30), (130, False, 36), (400, False, 40)]
    + [(None, False, 20), (None, True, 15), (60, True, 13)],
)
def test_a_compensation_counts_up_to_one_and_a_half_times_the_loss(pct: int | None, late: bool, points: int):
    granted, delivered = compensation(pct, late=late)
    assert justice_after((0, failure(severity=3)), (5, granted), (5, delivered))[0] == points


def test_the_best_compensation_counts_and_what_was_taken_back_does_not():
    small, big = compensation(60, name="small"), compensation(130, name="big")
    given = [(0, failure(severity=3)), *((5, one) for one in (*small, *big))]
    taken = [
        CompensationReversed(recovery_id=named_id("a"), compensation_id=named_id(name), reason="by mistake")
        for name in ("big", "small")
    ]
    assert justice_after(*given) == (36, 30, 85)
    assert justice_after(*given, (9, taken[0])) == (18, 30, 85)
    # With nothing in his hands there is nothing left but that we acted.
    assert justice_after(*given, (9, taken[0]), (9, taken[1])) == (0, 0, 85)


def test_anything_beyond_what_was_owed_is_welcome_where_nothing_was_expected():
    granted, delivered = compensation(25)
    assert justice_after((0, failure(severity=2)), (5, granted), (5, delivered))[0] == 40
    assert justice_after((0, failure(severity=2, resource="monetary")), (5, granted), (5, delivered))[0] == 7
    assert justice_after((0, failure(severity=4, fault="customer")), (5, granted), (5, delivered))[0] == 40


@pytest.mark.parametrize(
    ("resource", "repaid_by", "resolves", "points"),
    [
        ("goods", "exchange", "full", 60),
        ("goods", "exchange", "partial", 30),
        ("goods", "exchange", "unknown", 30),
        ("goods", "exchange", "none", 0),
        ("goods", "psychological", "full", 20),
        ("unknown", "reperformance", "full", 60),
        ("attention", "exchange", "full", 40),
        ("information", "psychological", "full", 40),
        ("time", "money_later", "full", 20),
        ("monetary", "money_now", "full", 90),
        ("monetary", "money_later", "full", 62),
        ("monetary", "money_now", "partial", 30),
    ],
)
def test_a_remedy_is_worth_how_well_it_repays_in_kind(resource: str, repaid_by: str, resolves: str, points: int):
    promised, delivered = remedy(repaid_by, resolves)
    happened = (0, failure(severity=3, resource=resource)), (5, promised), (5, delivered)
    assert justice_after(*happened)[0] == points


def test_a_failed_remedy_keeps_its_points():
    promised, delivered = remedy()
    failed = RemedyFailed(recovery_id=named_id("a"), remedy_id=promised.remedy_id, reason="broke again")
    assert justice_after((0, failure(severity=3)), (5, promised), (5, delivered), (9, failed))[0] == 60


# How he was met


@pytest.mark.parametrize(
    ("given", "points"),
    [
        ({"said": "none"}, 0),
        ({"said": "regret"}, 8 + 5 + 10 + 30),
        ({"said": "admits", "feeling_named": True}, 16 + 10 + 10 + 30),
        ({"said": "admits_and_commits", "feeling_named": True, "accepted": "accepted"}, 25 + 15 + 10 + 30),
        ({"said": "admits", "accepted": "accepted"}, 8 + 10 + 10 + 30),
        ({"said": "admits", "explanation": "brief"}, 8 + 10 + 10 + 10 + 30),
        ({"said": "admits", "explanation": "brief", "explanation_wanted": False}, 8 + 10 + 10 + 30),
    ],
)
def test_an_apology_is_worth_what_was_said_how_and_when(given: dict[str, Any], points: int):
    assert justice_after((0, failure()), (5, apology(**given)))[1] == points


def test_without_a_clock_an_apology_is_prompt_on_the_day_of_the_report_only():
    assert justice_after((0, failure()), (15 * 60 - 1, apology()))[1] == 58
    assert justice_after((0, failure()), (15 * 60, apology()))[1] == 51


def test_with_a_clock_an_apology_is_prompt_until_it_is_due():
    opened = (0, failure()), (0, clock("acknowledge", 30))
    assert justice_after(*opened, (30, apology()))[1] == 58
    assert justice_after(*opened, (31, apology()))[1] == 51


def test_poor_treatment_takes_the_respect_away():
    rude = TreatmentReported(recovery_id=named_id("a"), treatment="rude", degree=1)
    assert justice_after((0, failure()), (5, apology()), (6, rude))[1] == 28


def test_poor_treatment_outside_a_recovery_only_hurts():
    assert told((0, TreatmentReported(treatment="rude", degree=3)))[1] == [("TreatmentReported", -1500)]


# How it went


@pytest.mark.parametrize(
    ("minutes", "points"), [(0, 100), (60, 100), (61, 85), (120, 85), (121, 70), (240, 70), (241, 60), (-5, 100)]
)
def test_a_first_action_counts_by_its_allowance(minutes: int, points: int):
    started = RemedyStarted(recovery_id=named_id("a"), remedy_id=named_id("remedy"))
    assert justice_after((0, failure()), (0, clock("first_action", 60)), (minutes, started))[2] == points


def test_a_clock_moved_or_set_again_changes_no_allowance():
    started = RemedyStarted(recovery_id=named_id("a"), remedy_id=named_id("remedy"))
    later = BEGINNING + timedelta(minutes=500)
    moved = DeadlineMoved(recovery_id=named_id("a"), step="first_action", due_at=later, reason="reassessed")
    opened = (0, failure()), (0, clock("first_action", 60)), (1, moved), (1, clock("first_action", 500))
    assert justice_after(*opened, (61, started))[2] == 85


def test_an_apology_is_no_first_action_and_a_remedy_that_resolves_nothing_is_one():
    promised, delivered = remedy(resolves="none")
    assert justice_after((0, failure()), (5, apology()))[2] == 0
    assert justice_after((0, failure()), (5, promised), (5, delivered)) == (0, 0, 85)


def question(**given: Any) -> InformationRequested:
    return InformationRequested(recovery_id=named_id("a"), **given)


@pytest.mark.parametrize(
    ("opened", "asked", "points"),
    [
        (failure(severity=3), question(), 75),
        (failure(severity=3), question(questions=2), 65),
        (failure(severity=3), question(questions=20), 55),
        (failure(severity=4), question(), 85),
        (failure(severity=2, fault="customer"), question(), 85),
        (failure(severity=4), question(already_held=True), 75),
    ],
)
def test_questions_before_a_remedy_cost_effort_unless_much_is_at_stake(
    opened: FailureReported, asked: InformationRequested, points: int
):
    promised, delivered = remedy()
    assert justice_after((0, opened), (1, asked), (5, promised), (5, delivered))[2] == points


def test_questions_after_a_remedy_cost_effort_only_where_we_held_the_answer():
    given = [(0, failure()), *((5, one) for one in remedy())]
    assert justice_after(*given, (9, question()))[2] == 85
    assert justice_after(*given, (9, question(already_held=True)))[2] == 75


def test_a_silence_hurts_and_leaves_him_uninformed():
    noticed = SilenceNoticed(recovery_id=named_id("a"), silent_since=BEGINNING, n=1)
    given = [(0, failure()), *((5, one) for one in remedy())]
    assert justice_after(*given, (9, noticed))[2] == 75
    assert told((0, failure()), (9, noticed))[1] == [("FailureReported", -800), ("SilenceNoticed", -200)]


def test_a_missed_deadline_hurts():
    late = DeadlineMissed(recovery_id=named_id("a"), step="remedy")
    assert told((0, failure()), (9, late))[1] == [("FailureReported", -800), ("DeadlineMissed", -150)]


# Failing again


def failed_again(name: str = "a", cause: str = "recurrence") -> RecoveryReopened:
    return RecoveryReopened(recovery_id=named_id(name), cause=cause)


def test_failing_again_takes_half_then_three_quarters_then_all_of_the_loss():
    _, terms = told((0, failure()), *((n, failed_again()) for n in (1, 2, 3, 4)))
    label = "DoubleDeviation:RecoveryReopened"
    assert terms[1:] == [(label, -400), (label, -600), (label, -800), (label, -800)]


def test_a_remedy_that_fails_before_resolution_counts_and_afterwards_the_reopening_does():
    failed = RemedyFailed(recovery_id=named_id("a"), remedy_id=named_id("remedy"), reason="broke again")
    done = RecoveryResolved(recovery_id=named_id("a"), how_code="done")
    assert told((0, failure()), (1, failed))[1][1:] == [("DoubleDeviation:RemedyFailed", -400)]
    both = told((0, failure()), (1, done), (2, failed), (2, failed_again(cause="remedy_failed")))
    assert both[1][1:] == [("DoubleDeviation:RecoveryReopened", -400)]
    assert both[0].failed_again == 1


def test_a_word_of_displeasure_that_reopens_is_not_counted_twice():
    score = scored((0, failure()), (1, failed_again(cause="dissatisfied")))
    assert (score.total, score.failed_again) == (6200, 0)


# The relationship


def gesture(degree: int, name: str = "gesture") -> GestureMade:
    return GestureMade(gesture_id=named_id(name), kind="prevention", degree=degree)


def test_gestures_give_no_more_than_twelve_points_in_ninety_days():
    days = (0, 3), (1, 3), (2, 1), (90, 1), (91, 3)
    _, terms = told(*((day * DAY, gesture(degree)) for day, degree in days))
    assert [change for _, change in terms] == [800, 400, 800]


def visit(as_expected: bool = True) -> EncounterCompleted:
    return EncounterCompleted(touchpoint="counter", as_expected=as_expected)


def test_an_ordinary_visit_heals_a_little_of_what_is_missing():
    assert told((0, failure()), (1, visit()))[1][1:] == [("EncounterCompleted", 24)]
    assert told((0, failure()), (1, visit(as_expected=False)))[1][1:] == []
    assert told((0, visit()))[1] == []


def stated(instrument: str, value: int | None, **about: Any) -> SatisfactionStated:
    return SatisfactionStated(instrument=instrument, value=value, **about)


def about_a(instrument: str, value: int) -> SatisfactionStated:
    return stated(instrument, value, about="recovery", recovery_id=named_id("a"))


@pytest.mark.parametrize(
    ("instrument", "value", "total"),
    [
        ("CSAT", 5, 9000),
        ("CSAT", 1, 2200),
        ("OUTCOME", 2, 8200),
        ("OUTCOME", 1, 5800),
        ("OUTCOME", 0, 3000),
        ("NPS", 10, 8500),
        ("NPS", 0, 3100),
        ("CES", 7, 8000),
        ("CES", 4, 6300),
        ("VERBATIM", None, 7000),
        ("REVIEW", 1, 7000),
        ("CSAT", 7, 7000),  # not on its scale
    ],
)
def test_the_customers_word_moves_the_sum_towards_it(instrument: str, value: int | None, total: int):
    assert scored((0, stated(instrument, value))).total == total


def test_what_he_said_before_anything_failed_is_what_he_is_used_to():
    score, terms = told((0, stated("CSAT", 5)), (1, visit()), (2, failure()), (3, stated("CSAT", 1)))
    assert terms[1] == ("EncounterCompleted", 15)
    assert score.baseline == 9500


def test_the_sum_has_no_floor_and_a_word_starts_from_what_was_shown():
    ruined = scored((0, failure("a", severity=5)), (1, failure("b", severity=5, similarity_key="other")))
    assert (ruined.total, ruined.shown, ruined.band) == (-2000, 0, "critical")
    score, terms = told((2, stated("CSAT", 5)), score=ruined)
    assert (score.total, terms) == (7600, [("SatisfactionStated:CSAT", 9600)])
    assert score.stated is not None
    assert score.stated.error == 9500


def test_only_a_word_about_a_recovery_is_a_paradox_and_few_are_plausible():
    def said(severity: int, *before: Happened, again: bool = False) -> tuple[bool, bool]:
        middle = [(2, failed_again())] if again else []
        score = scored(*before, (1, failure(severity=severity)), *middle, (3, about_a("CSAT", 5)))
        return score.paradox, score.plausible

    assert said(3) == (True, True)
    assert said(4) == (True, False)
    assert said(3, again=True) == (True, False)
    assert said(3, (0, failure("earlier"))) == (True, False)
    assert not scored((0, failure()), (1, stated("CSAT", 5))).paradox
    # Before this failure 90.00 was shown, so a word worth 75.00 claims nothing.
    assert not scored((0, stated("CSAT", 5)), (1, failure()), (2, about_a("CSAT", 4))).paradox


def test_the_score_says_what_it_rests_on():
    hurt = scored((0, failure()))
    said = scored((1, stated("CSAT", 4)), score=hurt)
    visited = scored((2, visit()), score=scored((1, stated("CSAT", 2)), score=hurt))
    assert (START.basis, hurt.basis, said.basis, visited.basis) == ("prior", "inferred", "stated", "inferred")
    assert (hurt.failures_since_stated, said.failures_since_stated) == (1, 0)
    assert said.stated is not None
    assert (said.stated.instrument, said.stated.value, said.stated.error) == ("CSAT", 7500, 1300)
    assert said.stated.at == datetime(2026, 3, 2, 9, 1, tzinfo=UTC)


def test_the_worst_band_of_a_recovery_is_the_lowest_between_report_and_ending():
    rude = TreatmentReported(recovery_id=named_id("a"), treatment="rude", degree=3)
    done = RecoveryResolved(recovery_id=named_id("a"), how_code="done")
    worst = scored((0, failure()), (1, rude), (2, apology()), (3, done), (4, failure("b", severity=5)))
    assert worst.recoveries[named_id("a")].lowest == 4700
    assert worst.recoveries[named_id("a")].worst_band == "at_risk"


def test_leaving_losing_and_winning_back_move_nothing():
    hurt = scored((0, failure()))
    for event in (LeavingAnnounced(), CustomerLost(basis="told_us"), CustomerReturned()):
        assert scored((1, event), score=hurt) is hurt


def test_a_recovery_has_a_second_figure_of_its_own():
    happened = (0, failure()), (0, clock("acknowledge", 30)), (0, clock("first_action", 60))
    words, things = (2, apology(feeling_named=True)), [(6, one) for one in remedy()]
    plums = scored(*happened, words, *things).recoveries[named_id("a")]
    assert justice(plums) == (100, 66, 100)
    assert recovery_satisfaction(plums) == 88


@pytest.mark.parametrize(
    ("score", "name"),
    [(0, "critical"), (1999, "critical"), (2000, "dissatisfied"), (3999, "dissatisfied"), (4000, "at_risk")]
    + [(5999, "at_risk"), (6000, "satisfied"), (7999, "satisfied"), (8000, "delighted"), (9500, "delighted")],
)
def test_bands_have_their_limits(score: int, name: str):
    assert band(score) == name
