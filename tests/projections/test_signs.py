"""Signs: which facts the house learns from, and how they are found by where they stand in the ledger."""

from domain.duties.signs import Sign
from domain.moves.failure import Reassess
from domain.moves.obstacle import ReportObstacle
from domain.moves.voice import StateSatisfaction
from projections import signs
from projections.base import Source
from tests.support.given import Story, colleague, named_id
from tests.support.ledgers import Book
from tests.support.reporting import told
from tests.support.stories import reported


def found(shelf: Book, *tales: Story, after: int = 0, upto: int = 1_000, limit: int = 100) -> list[Sign]:
    told(shelf, *tales)
    with shelf.source() as source:
        return signs.page(source, after, upto, limit)


def kinds(these: list[Sign]) -> list[tuple[str, str | None, int | None]]:
    return [(one.kind, one.about, one.value) for one in these]


def test_a_failure_is_a_sign_with_its_sort_and_severity_and_history_is_none(shelf: Book):
    ours = reported(severity=3, severity_customer=5, similarity_key="cafe:cold")
    [one] = found(shelf, ours, reported(history=True))
    assert (one.kind, one.about, one.value, one.customer_value) == ("failed", "cafe:cold", 3, 5)
    assert (one.stream_id, one.counts) == (named_id("customer 0"), True)


def test_what_stands_in_the_way_may_be_a_gap_in_training_and_a_rule_at_once(shelf: Book):
    tale = reported().when(ReportObstacle(kind="no_training", topic="returns", rule_id="receipt"), at=1)
    tale.when(ReportObstacle(kind="policy_block", rule_id="receipt"), at=2, actor=colleague("eleni"))
    tale.when(ReportObstacle(kind="no_training"), at=3).when(ReportObstacle(kind="overload"), at=4)
    both = found(shelf, tale)[1:]
    assert kinds(both) == [
        ("blocked", "receipt", None),
        ("untrained", "returns", None),
        ("blocked", "receipt", None),
    ]
    assert both[0].position == both[1].position
    assert both[0].told_by != both[2].told_by == colleague("eleni").colleague_id


def test_a_severity_looked_at_anew_and_a_word_about_the_recovery_are_signs(shelf: Book):
    tale = reported().when(Reassess(severity=4, fault="firm", reason="He lost a day."), at=1)
    tale.when(StateSatisfaction(instrument="CSAT", value=5, about="recovery"), at=2)
    tale.when(StateSatisfaction(instrument="NPS", value=9, about="relationship"), at=3)
    assert kinds(found(shelf, tale)[1:]) == [("weighed", "severity", 4), ("stated", "CSAT", 5)]


def test_a_page_begins_after_a_position_and_ends_with_another(shelf: Book):
    whole = found(shelf, *(reported() for _ in range(4)))
    with shelf.source() as source:
        first = signs.page(source, 0, 1_000, 2)
        assert first + signs.page(source, first[-1].position, 1_000, 2) == whole
        assert signs.page(source, whole[0].position, whole[2].position, 9) == whole[1:3]


def test_the_score_before_a_failure_is_the_one_that_was_published_then(shelf: Book):
    tale = reported().when(StateSatisfaction(instrument="CSAT", value=1, about="relationship"), at=1)
    told(shelf, tale)
    with shelf.source() as source:
        [failed] = signs.page(source, 0, 1_000, 9)
        before = signs.shown_before(source, failed.stream_id, failed.position)
        after = _score(source, failed)
    assert before == 7000
    assert after < before


def _score(source: Source, sign: Sign) -> int:
    return signs.shown_before(source, sign.stream_id, sign.position + 100)
