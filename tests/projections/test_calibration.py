"""Calibration: what customers said against what we had inferred, and which ways of answering displease."""

import pytest

from domain.clocks import SilenceNoticed
from domain.milestones import RelationshipOpened, SatisfactionStated
from domain.moves.follow_up import CompleteFollowUp
from domain.moves.outcome import Close, Resolve
from domain.moves.voice import StateSatisfaction
from projections import calibration
from projections.calibration import DISPLEASED, CalibrationReport
from projections.period import Period
from tests.support.given import START, Story, story
from tests.support.ledgers import Book
from tests.support.reporting import asked, period, told
from tests.support.stories import PLUMS, put_right, reported


def of(shelf: Book, *tales: Story, within: Period | None = None) -> CalibrationReport:
    """The report after these stories."""
    found: CalibrationReport = asked(told(shelf, *tales), calibration.report, within)
    return found


def says(tale: Story, instrument: str, value: int, at: float = 60, about: str = "recovery") -> Story:
    """The customer says how he feels."""
    given = {"instrument": instrument, "value": value, "about": about}
    return tale.when(StateSatisfaction.model_validate(given), at=at)


def answered(how_code: str, value: int | None, at: float = 60) -> Story:
    """It was resolved in this way; then he gave so many of five, or had no objection."""
    tale = put_right().when(Resolve(how_code=how_code), at=10)
    if value is None:
        return tale.when(CompleteFollowUp(outcome="no_objection"), at=at)
    return tale.when(StateSatisfaction(instrument="CSAT", value=value, about="recovery", recovery_id=PLUMS), at=at)


def test_bias_is_the_mean_of_stated_minus_inferred_and_the_absolute_error_has_no_sign(shelf: Book):
    """Inferred 62.00 both times; one gave 4 of 5 (75.00), the other 1 of 5 (10.00)."""
    found = of(shelf, says(reported(), "CSAT", 4), says(reported(), "CSAT", 1))
    assert (found.n, found.overall.bias, found.overall.mean_absolute_error) == (2, -1950.0, 3250.0)
    assert found.model == "amends-sat/1"


def test_each_instrument_is_told_by_itself(shelf: Book):
    found = of(shelf, says(reported(), "CSAT", 4), says(reported(), "NPS", 10), says(reported(), "NPS", 8))
    assert [(one.instrument, one.n, one.bias) for one in found.by_instrument] == [
        ("CSAT", 1, 1300.0),
        ("NPS", 2, 2400.0),
    ]


def test_each_way_of_answering_is_told_by_itself_and_what_was_never_resolved_too(shelf: Book):
    found = of(shelf, answered("refund", 4), answered("explanation", 1), says(reported(), "CSAT", 4))
    assert [(one.how_code, one.n) for one in found.by_response] == [("explanation", 1), ("refund", 1), (None, 1)]
    assert found.by_response[0].bias is not None
    assert found.by_response[0].bias < 0


def test_a_word_that_we_had_inferred_exactly_counts_with_an_error_of_nothing(shelf: Book):
    """One silence: 68.00. Seven of ten means 68.00 too, so nothing moves and no term tells of it."""
    silent = story().given(RelationshipOpened())
    silent = silent.given(SilenceNoticed(recovery_id=PLUMS, silent_since=START, n=1), at=1)
    found = of(shelf, says(silent, "NPS", 7, about="relationship"), says(reported(), "CSAT", 4))
    assert (found.n, found.overall.bias, found.overall.mean_absolute_error) == (2, 650.0, 650.0)


def test_words_without_a_number_calibrate_nothing(shelf: Book):
    tale = reported().when(StateSatisfaction(instrument="VERBATIM", verbatim="not again"), at=60)
    found = of(shelf, tale)
    assert (found.n, found.overall.bias, found.by_response) == (0, None, [])


def test_the_period_goes_by_when_he_said_it(shelf: Book):
    tale = says(says(reported(), "CSAT", 4, at=60), "CSAT", 2, at=90)
    assert of(shelf, tale, within=period(since=60, until=90)).n == 1


def test_the_way_that_displeased_most_stands_first_and_few_cases_at_the_end(shelf: Book):
    tales = [answered("explanation", 1 if n < 8 else None) for n in range(20)]
    tales += [answered("refund", 2 if n < 3 else 5) for n in range(20)]
    tales += [answered("nothing", 1)]
    found = of(shelf, *tales).dissatisfied
    assert [(one.how_code, one.hits, one.n, one.comparable) for one in found] == [
        ("explanation", 8, 20, True),
        ("refund", 3, 20, True),
        ("nothing", 1, 1, False),
    ]
    assert (found[0].share, found[0].low, found[0].high) == (0.4, 0.2188, 0.6134)


def test_the_first_word_counts_and_void_reports_do_not(shelf: Book):
    twice = answered("refund", 5).when(
        StateSatisfaction(instrument="CSAT", value=1, about="recovery", recovery_id=PLUMS), at=90
    )
    void = answered("refund", 1).when(Close(outcome="entered_in_error"), at=90)
    assert [(one.hits, one.n) for one in of(shelf, twice, void).dissatisfied] == [(0, 1)]


@pytest.mark.parametrize(("instrument", "most"), [("CSAT", 5), ("NPS", 10), ("OUTCOME", 2), ("CES", 7)])
def test_displeasure_is_what_reopens_a_recovery(instrument: str, most: int):
    """The report counts as displeased whom rule I-19 takes for displeased."""
    for value in range(1 if instrument in ("CSAT", "CES") else 0, most + 1):
        stated = SatisfactionStated.model_validate({"instrument": instrument, "value": value})
        assert stated.low == (value <= DISPLEASED.get(instrument, -1))
