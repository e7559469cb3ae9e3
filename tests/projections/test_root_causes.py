"""Root causes: the house, a person, or neither."""

from domain.moves.cause import AttributeCause
from projections import root_causes
from projections.root_causes import group_of
from tests.support.given import Story
from tests.support.ledgers import Book
from tests.support.reporting import asked, period, told
from tests.support.stories import reported


def caused(cause_class: str, *contributing: str, at: float = 5, tale: Story | None = None) -> Story:
    """A failure, and why it happened."""
    given = {"cause_class": cause_class, "contributing": contributing, "evidence_ref": "the shift book"}
    return (tale or reported()).when(AttributeCause.model_validate(given), at=at)


def test_s1_1_the_report_gives_systemic_to_individual_to_other_with_intervals(shelf: Book):
    tales = [caused(one) for one in ("organisation_process",) * 5 + ("training", "tool_system", "capacity")]
    tales += [caused("slip", "capacity")] * 5 + [caused("outside")] * 2
    found = asked(told(shelf, *tales), root_causes.report)
    assert (found.systemic.hits, found.individual.hits, found.other.hits, found.n) == (8, 5, 2, 15)
    assert (found.individual.share, found.individual.low, found.individual.high) == (0.3333, 0.1518, 0.5829)


def test_s1_1_classes_are_counted_the_most_frequent_first(shelf: Book):
    tales = [caused("training"), caused("training"), caused("policy_rule"), caused("none_found")]
    found = asked(told(shelf, *tales), root_causes.report)
    assert [(one.cause_class, one.group, one.n) for one in found.classes] == [
        ("training", "systemic", 2),
        ("none_found", "other", 1),
        ("policy_rule", "systemic", 1),
    ]


def test_a_class_of_individual_causes_that_could_point_at_somebody_is_hidden_and_the_next_one_with_it(shelf: Book):
    tales = [caused("slip", "training")] * 6 + [caused("skill", "training")] * 5
    tales += [caused("attitude", "training")] * 4 + [caused("outside")]
    found = asked(told(shelf, *tales), root_causes.report)
    # Of the sum of all fifteen, no more than nine cases of two classes can be told.
    assert [(one.cause_class, one.n) for one in found.classes] == [
        ("slip", 6),
        ("outside", 1),
        ("attitude", None),
        ("skill", None),
    ]
    assert (found.n, found.individual.hits, found.other.hits, found.left_out) == (16, 15, 1, False)


def test_two_small_classes_are_told_together_where_both_have_five(shelf: Book):
    tales = [caused("slip", "training")] * 3 + [caused("attitude", "training")] * 2
    found = asked(told(shelf, *tales), root_causes.report)
    assert [one.n for one in found.classes] == [None, None]
    assert (found.individual.hits, found.n) == (5, 5)


def test_fewer_than_five_individual_causes_in_all_cannot_be_worked_out_from_the_others(shelf: Book):
    tales = [caused("training")] * 9 + [caused("outside")] * 2
    few = [caused("slip", "capacity")] * 3 + [caused("attitude", "capacity")]
    found = asked(told(shelf, *tales, *few), root_causes.report)
    assert (found.individual, found.left_out) == (None, True)
    assert (found.n, found.systemic.hits, found.systemic.n, found.other.hits) == (11, 9, 11, 2)
    assert {one.cause_class for one in found.classes} == {"training", "outside"}


def test_what_the_house_contributed_stands_beside_individual_causes(shelf: Book):
    tales = [caused("slip", "capacity", "training"), caused("skill", "training", "training")]
    found = asked(told(shelf, *tales), root_causes.report)
    assert [(one.cause_class, one.n) for one in found.contributing] == [("training", 2), ("capacity", 1)]


def test_that_a_persons_share_contributed_is_not_told(shelf: Book):
    found = asked(told(shelf, caused("tool_system", "attitude"), caused("training")), root_causes.report)
    assert found.contributing == []


def test_of_a_recovery_the_last_word_counts(shelf: Book):
    tale = caused("training", at=5)
    shelf = told(shelf, caused("policy_rule", at=20, tale=tale))
    assert [one.cause_class for one in asked(shelf, root_causes.report).classes] == ["policy_rule"]
    assert [one.cause_class for one in asked(shelf, root_causes.report, period(as_of=10)).classes] == ["training"]
    assert asked(shelf, root_causes.report, period(until=20)).n == 0


def test_of_nothing_no_share_is_claimed(shelf: Book):
    found = asked(told(shelf, reported()), root_causes.report)
    assert (found.n, found.systemic.share, found.classes) == (0, None, [])


def test_a_class_of_a_newer_program_is_neither():
    assert [group_of(one) for one in ("supplier", "attitude", "misunderstanding", "solar_storm")] == [
        "systemic",
        "individual",
        "other",
        "other",
    ]
