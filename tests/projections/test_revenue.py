"""Revenue: at risk, lost, resolved but lost, saved; estimates with what they rest on, each currency for itself."""

from typing import Any

import pytest
from sqlalchemy import delete

from domain.milestones import RelationshipOpened
from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.compensation import GrantCompensation, ReverseCompensation
from domain.moves.loyalty import ReportLoss, WelcomeBack
from domain.moves.outcome import Close, Resolve
from domain.moves.relationship import CompleteEncounter, DeclareValue, PersonalDataErased
from domain.moves.remedy import DeliverRemedy
from domain.moves.treatment import ReportTreatment
from domain.moves.voice import StateSatisfaction
from domain.values import Money
from projections import revenue
from projections.period import Period
from projections.revenue import InCurrency, RevenueReport
from projections.revenue_rows import _totals
from projections.satisfaction import explain, satisfaction_recoveries
from tests.support.given import Story, named_id, story
from tests.support.ledgers import Book, mixed
from tests.support.reporting import asked, minute, period, told
from tests.support.stories import PLUMS, put_right, report, reported, resolved

DAY = 24 * 60
GRANT = named_id("grant")


def content() -> Story:
    """A customer of whom we know nothing but that he was served: 70.00, satisfied."""
    return story().given(RelationshipOpened()).when(CompleteEncounter(touchpoint="counter"))


def worth(tale: Story, minor: int = 15_00, currency: str = "EUR", **more: Any) -> Story:
    """The customer of this story spends so much a day, 15.00 if nothing else is said."""
    given = {"amount": Money(minor=minor, currency=currency), "per": "day"} | more
    return tale.when(DeclareValue.model_validate(given), at=0)


def gone(tale: Story, days: float = 1, **more: Any) -> Story:
    """He left so many days later."""
    return tale.when(
        ReportLoss.model_validate({"basis": "told_us", "cause_recovery_id": PLUMS} | more), at=days * DAY
    )


def severe(**more: Any) -> Story:
    """A failure of severity 4, put right and resolved at minute 10; the score fell to 45.00, at risk."""
    return worth(resolved(severity=4), margin_pct=40, **more)


def served(tale: Story, days: float) -> Story:
    """He was a customer like any other so many days later."""
    return tale.when(CompleteEncounter(touchpoint="counter"), at=days * DAY)


def of(shelf: Book, *tales: Story, within: Period | None = None) -> RevenueReport:
    """The report of revenue after these stories, a year later; nobody was looked at half a year before."""
    found: RevenueReport = asked(told(shelf, *tales), revenue.report, within, 0)
    return found


def euros(shelf: Book, *tales: Story, within: Period | None = None) -> InCurrency:
    """The one currency of it."""
    [only] = of(shelf, *tales, within=within).currencies
    assert only.currency == "EUR"
    return only


def parts(some: list[revenue.Part]) -> list[tuple[str, int, str]]:
    return [(one.key, one.n, one.amount.amount) for one in some]


class TestAtRisk:
    """What may be lost."""

    def test_s2_21_fifteen_a_day_is_5475_a_year_and_twenty_is_7300(self, shelf: Book):
        found = of(shelf, worth(content()), worth(content(), 20_00, "USD"))
        assert [(one.currency, one.at_risk_estimate.annual.amount) for one in found.currencies] == [
            ("EUR", "5475.00"),
            ("USD", "7300.00"),
        ]
        assert found.n == 2

    def test_s2_7_it_is_a_year_times_the_chance_that_one_of_his_band_leaves(self, shelf: Book):
        """A severe failure leaves 45.00: at risk, one in five leaves. Who stands at 70.00 leaves one in twenty."""
        found = euros(shelf, worth(reported(severity=4)), worth(content(), 20_00)).at_risk_estimate
        assert [(one.band, one.n, one.annual.amount, one.estimate.amount) for one in found.by_band] == [
            ("at_risk", 1, "5475.00", "1095.00"),
            ("satisfied", 1, "7300.00", "365.00"),
        ]
        assert (found.n, found.estimate.amount) == (2, "1460.00")

    def test_who_left_or_asked_to_be_forgotten_is_at_no_risk(self, shelf: Book):
        forgotten = worth(content()).given(PersonalDataErased(request="r-1"), at=5)
        found = of(shelf, gone(worth(reported())), forgotten, worth(content()))
        assert found.currencies[0].at_risk_estimate.n == 1

    def test_who_left_and_was_forgotten_then_was_lost_all_the_same(self, shelf: Book):
        found = euros(shelf, gone(worth(reported())).given(PersonalDataErased(request="r-1"), at=5 * DAY))
        assert (found.lost.n, found.at_risk_estimate.n) == (1, 0)

    def test_who_came_back_is_at_risk_again(self, shelf: Book):
        found = euros(shelf, gone(worth(reported())).when(WelcomeBack(), at=3 * DAY))
        assert (found.at_risk_estimate.n, found.lost.n) == (1, 0)

    def test_the_newest_declaration_counts(self, shelf: Book):
        found = euros(shelf, worth(worth(content()), 20_00))
        assert found.at_risk_estimate.annual.amount == "7300.00"

    def test_a_currency_without_cents_has_none(self, shelf: Book):
        [found] = of(shelf, worth(content(), 1_500, "JPY")).currencies
        assert (found.at_risk_estimate.annual.amount, found.currency) == ("547500", "JPY")


class TestPLeave:
    """How likely a customer leaves."""

    def test_until_fifty_were_seen_the_assumption_is_printed_as_one(self, shelf: Book):
        found = of(shelf, worth(reported()))
        assert [(one.band, one.percent, one.basis, one.n) for one in found.p_leave] == [
            ("critical", 70.0, "assumed", 0),
            ("dissatisfied", 45.0, "assumed", 0),
            ("at_risk", 20.0, "assumed", 0),
            ("satisfied", 5.0, "assumed", 0),
            ("delighted", 2.0, "assumed", 0),
        ]

    @pytest.mark.parametrize(("n", "percent", "basis"), [(49, 20.0, "assumed"), (50, 25.0, "observed")])
    def test_then_what_they_did_replaces_it(self, shelf: Book, n: int, percent: float, basis: str):
        """Of 50 at risk half a year ago 12 left since: 13 of 52. The one who had left before is not counted."""
        tales = [gone(reported(severity=4), days=200) for _ in range(12)]
        tales += [reported(severity=4) for _ in range(n - 12)]
        tales += [gone(reported(severity=4), days=100)]
        told(shelf, *tales)
        then = sum(fact.recorded_at <= minute(185 * DAY) for tale in tales for fact in tale.facts)
        found = asked(shelf, revenue.report, None, then)
        [at_risk] = [one for one in found.p_leave if one.band == "at_risk"]
        assert (at_risk.n, at_risk.lost, at_risk.percent, at_risk.basis) == (n, 12, percent, basis)

    def test_where_each_stood_then_is_the_sum_after_his_last_term_before(self, shelf: Book):
        facts = mixed(6, 12)
        shelf.record(facts)
        shelf.projector().catch_up()
        for upto in (0, len(facts) // 3, len(facts)):
            with shelf.source() as source:
                terms = {one: explain(source, one).terms for one in {fact.stream_id for fact in facts}}
                sums = {one: [term.total for term in some if term.position <= upto] for one, some in terms.items()}
                assert dict(map(tuple, _totals(source, upto))) == {one: of[-1] for one, of in sums.items() if of}
        several = [term for some in terms.values() for term in some if term.ordinal]
        assert several

    def test_who_stood_in_another_band_then_counts_there(self, shelf: Book):
        tale = reported(severity=4).when(report("again", severity=5), at=200 * DAY)
        then = sum(fact.recorded_at <= minute(185 * DAY) for fact in tale.facts)
        found = asked(told(shelf, tale), revenue.report, None, then)
        assert {one.band: one.n for one in found.p_leave if one.n} == {"at_risk": 1}

    def test_the_moment_looked_back_to_is_half_a_year_ago(self):
        assert revenue.looked_back(minute(200 * DAY)) == minute(20 * DAY)


class TestLost:
    """What was lost."""

    def test_s2_22_the_total_of_a_site_is_the_sum_of_its_lost_relationships(self, shelf: Book):
        kifisia = [gone(worth(reported(site="kifisia"), minor)) for minor in (15_00, 20_00)]
        found = euros(shelf, *kifisia, gone(worth(reported(site="piraeus"), 10_00)), gone(worth(reported()), 2))
        assert parts(found.lost.by_site) == [
            ("kifisia", 2, "12775.00"),
            ("unknown", 1, "5475.00"),
            ("piraeus", 1, "3650.00"),
        ]
        assert (found.lost.n, found.lost.annual.amount) == (4, "21900.00")

    def test_s2_22_and_by_cause_the_last_word_on_it_counting(self, shelf: Book):
        tale = reported().when(AttributeCause(cause_class="capacity"), at=5)
        tale = gone(worth(tale.when(AttributeCause(cause_class="training"), at=6)))
        assert parts(euros(shelf, tale, gone(worth(reported()))).lost.by_cause) == [
            ("training", 1, "5475.00"),
            ("unknown", 1, "5475.00"),
        ]

    def test_s2_14_s2_13_six_contested_cappuccinos_lose_what_he_spent_in_a_year(self, shelf: Book):
        tale = worth(content())
        for nth in range(6):
            name = "plums" if nth == 5 else f"cappuccino {nth}"
            tale = tale.when(report(name, severity=1, site="corner"), at=nth * DAY)
            tale = tale.when(
                ReportTreatment(treatment="perception_contested", recovery_id=named_id(name)), at=nth * DAY + 1
            )
        found = euros(shelf, gone(tale, days=9, basis="stayed_away")).lost
        assert parts(found.by_basis) == [("stayed_away", 1, "5475.00")]
        assert parts(found.by_site) == [("corner", 1, "5475.00")]

    def test_who_left_counts_in_the_period_in_which_he_left(self, shelf: Book):
        tales = [gone(worth(reported()), days) for days in (1, 10)]
        assert euros(shelf, *tales, within=period(since=5 * DAY)).lost.n == 1

    def test_a_loss_of_unknown_worth_is_counted_and_not_priced(self, shelf: Book):
        found = of(shelf, gone(reported()))
        assert (found.currencies, found.lost_of_unknown_worth) == ([], 1)


class TestResolvedButLost:
    """The battle won, the war lost."""

    def test_s2_23_the_plums_were_exchanged_and_the_last_word_lost_the_customer(self, shelf: Book):
        tale = worth(resolved()).when(ReportTreatment(treatment="last_word"), at=20)
        found = euros(shelf, gone(tale)).resolved_but_lost
        assert (found.n, found.annual.amount) == (1, "5475.00")

    @pytest.mark.parametrize(("minutes", "n"), [(10 + 90 * DAY, 1), (11 + 90 * DAY, 0), (9, 0)])
    def test_s2_23_within_ninety_days_after_the_case_was_ended(self, shelf: Book, minutes: float, n: int):
        tale = worth(put_right())
        if minutes == 9:
            tale = gone(tale, minutes / DAY).when(Resolve(), at=10)
        else:
            tale = gone(tale.when(Resolve(), at=10), minutes / DAY)
        assert euros(shelf, tale).resolved_but_lost.n == n

    def test_s2_23_a_case_given_up_as_lost_was_not_won(self, shelf: Book):
        tale = worth(reported()).when(Close(outcome="lost"), at=20)
        assert euros(shelf, gone(tale)).resolved_but_lost.n == 0


class TestSaved:
    """What putting things right may have saved."""

    def test_a_severe_failure_put_right_saves_the_difference_of_two_chances(self, shelf: Book):
        """At the worst one in five leaves, now one in twenty: 15 % of 5,475.00."""
        found = euros(shelf, served(severe(), 91)).saved_estimate
        assert (found.n, found.estimate.amount, found.capped) == (1, "821.25", 0)

    @pytest.mark.parametrize(("minutes", "n"), [(90 * DAY + 10, 1), (90 * DAY + 9, 0)])
    def test_only_of_who_was_still_there_ninety_days_later(self, shelf: Book, minutes: float, n: int):
        assert euros(shelf, served(severe(), minutes / DAY)).saved_estimate.n == n

    def test_of_whom_the_score_of_the_recovery_is_not_known_yet_nothing_is_claimed(self, shelf: Book):
        """A stream that could not be folded waits beside the others; the report is told without it."""
        told(shelf, served(severe(), 91), served(severe(), 92))
        with shelf.engine.begin() as conn:
            of = satisfaction_recoveries.c
            mine = (of.ledger == shelf.mapper.ledger, of.stream_id == named_id("customer 0"))
            conn.execute(delete(satisfaction_recoveries).where(*mine))
        [found] = asked(shelf, revenue.report, None, 0).currencies
        assert found.saved_estimate.n == 1

    def test_or_came_back(self, shelf: Book):
        assert euros(shelf, severe().when(WelcomeBack(), at=2 * DAY)).saved_estimate.n == 1
        assert period().as_of == minute(365 * DAY)

    @pytest.mark.parametrize("severity", [1, 2])
    def test_small_failures_save_nothing(self, shelf: Book, severity: int):
        assert euros(shelf, served(worth(resolved(severity=severity)), 91)).saved_estimate.n == 0

    def test_a_customer_is_saved_once_by_his_worst_recovery(self, shelf: Book):
        again = {"recovery_id": named_id("again")}
        tale = severe().when(report("again", severity=5, site="kifisia"), at=DAY)
        tale = tale.when(Apologise(said="admits", **again), at=DAY + 1)
        tale = tale.when(DeliverRemedy(remedy_kind="replacement", resolves="full", **again), at=DAY + 2)
        found = euros(shelf, served(tale.when(Resolve(**again), at=DAY + 3), 95)).saved_estimate
        assert (found.n, [one.key for one in found.by_site]) == (1, ["kifisia"])

    def test_what_was_reported_in_error_saves_nothing(self, shelf: Book):
        tale = severe().when(Close(outcome="entered_in_error"), at=30)
        assert euros(shelf, served(tale, 91)).saved_estimate.n == 0

    def test_who_left_after_all_was_not_saved(self, shelf: Book):
        assert euros(shelf, gone(served(severe(), 91), days=92)).saved_estimate.n == 0

    def test_s1_24_a_paradox_makes_no_money(self, shelf: Book):
        """Five of five: 89.70 and delighted, but he counts as he stood before, satisfied."""
        tale = severe().when(
            StateSatisfaction(instrument="CSAT", value=5, about="recovery", recovery_id=PLUMS), at=60
        )
        found = euros(shelf, served(tale, 91)).saved_estimate
        assert (found.estimate.amount, found.capped) == ("821.25", 1)

    def test_by_site_and_cause_where_known(self, shelf: Book):
        tale = worth(resolved(severity=4, site="kifisia")).when(
            AttributeCause(cause_class="training", recovery_id=PLUMS), at=11
        )
        found = euros(shelf, served(tale, 91)).saved_estimate
        assert (parts(found.by_site), parts(found.by_cause)) == (
            [("kifisia", 1, "821.25")],
            [("training", 1, "821.25")],
        )


class TestReturnOnRecovery:
    """What recoveries may have earned."""

    def granted(self, tale: Story, **more: Any) -> Story:
        given = {"kind": "cash", "basis": "contractual", "compensation_id": GRANT, "recovery_id": PLUMS}
        given |= {"delivered": True} | more
        return tale.when(GrantCompensation.model_validate(given), at=8)

    def test_s3_16_margin_of_what_was_saved_minus_what_compensation_cost(self, shelf: Book):
        """40 % of 821.25 is 328.50; the free starter cost 2.50 and was worth 9.00."""
        tale = worth(put_right(severity=4), margin_pct=40, acquisition_cost=Money(minor=120_00, currency="EUR"))
        tale = self.granted(tale, cost=Money(minor=2_50, currency="EUR"), value=Money(minor=9_00, currency="EUR"))
        found = euros(shelf, served(tale.when(Resolve(), at=10), 91)).return_on_recovery_estimate
        assert (found.margin_of_saved.amount, found.compensation_cost.amount) == ("328.50", "2.50")
        assert (found.estimate.amount, found.acquisition_cost.amount) == ("326.00", "120.00")
        assert (found.compensations, found.cost_by_value, found.no_margin) == (1, 0, 0)

    def test_what_was_taken_back_or_only_granted_cost_nothing(self, shelf: Book):
        cost = Money(minor=2_50, currency="EUR")
        back = self.granted(worth(put_right()), cost=cost).when(
            ReverseCompensation(compensation_id=GRANT, reason="twice", recovery_id=PLUMS), at=9
        )
        promised = self.granted(worth(put_right()), cost=cost, delivered=False)
        assert euros(shelf, back, promised).return_on_recovery_estimate.compensations == 0

    def test_value_stands_for_a_cost_nobody_told_and_what_has_neither_is_counted(self, shelf: Book):
        by_value = self.granted(worth(put_right()), value=Money(minor=9_00, currency="EUR"))
        found = of(shelf, by_value, self.granted(put_right()))
        costs = found.currencies[0].return_on_recovery_estimate
        assert (costs.compensation_cost.amount, costs.cost_by_value, costs.estimate.amount) == ("9.00", 1, "-9.00")
        assert found.compensations_of_unknown_cost == 1

    def test_without_a_margin_nothing_is_earned_and_that_is_said(self, shelf: Book):
        found = euros(shelf, served(worth(resolved(severity=4)), 91)).return_on_recovery_estimate
        assert (found.no_margin, found.margin_of_saved.amount) == (1, "0.00")


def test_currencies_are_never_added_up(shelf: Book):
    found = of(shelf, gone(worth(reported())), gone(worth(reported(), 20_00, "USD")))
    assert [(one.currency, one.lost.annual.amount) for one in found.currencies] == [
        ("EUR", "5475.00"),
        ("USD", "7300.00"),
    ]


def test_every_assumption_is_printed(shelf: Book):
    found = of(shelf, worth(content()))
    assert len(found.assumptions) == 8
    assert {name for name in InCurrency.model_fields if "estimate" in name} == {
        "at_risk_estimate",
        "saved_estimate",
        "return_on_recovery_estimate",
    }
