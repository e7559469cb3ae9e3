"""Loyalty makers: any role may make loyalty; it is told by role class and role, and never of fewer than five."""

from typing import Any

from domain.kinds import Actor
from domain.milestones import RelationshipOpened
from domain.moves.apology import Apologise
from domain.moves.failure import Reassess
from domain.moves.gesture import MakeGesture
from domain.moves.remedy import DeliverRemedy
from domain.moves.voice import StateSatisfaction
from projections import loyalty_makers
from projections.loyalty_makers import Makers, MakersReport
from projections.period import Period
from tests.support.given import Story, colleague, story
from tests.support.ledgers import Book
from tests.support.reporting import asked, period, told
from tests.support.stories import reported


def mechanic(nth: int) -> Actor:
    """One of the mechanics."""
    return colleague(f"mechanic {nth}", "mechanic", "back")


def waiter(nth: int) -> Actor:
    """One of the waiters."""
    return colleague(f"waiter {nth}", "waiter", "front")


def helped(by: Actor, at: float = 5, **more: Any) -> Story:
    """Somebody did more than he had to, for a customer of his own."""
    gesture = MakeGesture.model_validate({"kind": "extra_care"} | more)
    return story().given(RelationshipOpened()).when(gesture, at=at, actor=by)


def nps_10(tale: Story, at: float = 60) -> Story:
    """The customer gives ten of ten; a colleague at the counter writes it down."""
    return tale.when(StateSatisfaction(instrument="NPS", value=10), at=at, actor=waiter(1))


def of(shelf: Book, *tales: Story, within: Period | None = None) -> MakersReport:
    """The report after these stories."""
    found: MakersReport = asked(told(shelf, *tales), loyalty_makers.report, within)
    return found


def only(makers: list[Makers]) -> Makers:
    """The only group that is shown."""
    [one] = makers
    return one


def test_s5_2_the_mechanics_two_gestures_and_the_ten_of_ten_are_at_the_top(shelf: Book):
    """Each mechanic changed a wiper (+2.00) and the brake pads (+4.00); then NPS 10 lifts 76.00 by 11.40."""
    thoughtful = [
        nps_10(helped(mechanic(n)).when(MakeGesture(kind="prevention", degree=2), at=6, actor=mechanic(n)))
        for n in range(5)
    ]
    found = of(shelf, *thoughtful, *(helped(waiter(n)) for n in range(5)))
    assert [(one.role, one.lift_inferred, one.lift_stated) for one in found.roles] == [
        ("mechanic", 5 * 600, 5 * 1140),
        ("waiter", 5 * 200, 0),
    ]


def test_s5_1_the_back_office_share_of_lifts_is_told_with_its_interval(shelf: Book):
    tales = [helped(mechanic(n)) for n in range(6)] + [helped(waiter(n)) for n in range(14)]
    found = of(shelf, *tales).back_office
    assert found is not None
    assert (found.hits, found.n, found.share, found.low, found.high) == (6, 20, 0.3, 0.1455, 0.519)


def test_s3_20_gestures_per_hundred_relationships_by_role(shelf: Book):
    found = of(shelf, *(helped(mechanic(n)) for n in range(5)), *(reported() for _ in range(3)))
    assert (found.relationships, only(found.roles).gestures) == (8, 5)
    assert only(found.roles).gestures_per_100_relationships == 62.5


def test_s5_11_avoided_contacts_are_added_up(shelf: Book):
    tales = [helped(mechanic(n), kind="prevention", avoided_contacts=n) for n in range(5)]
    found = only(of(shelf, *tales, helped(mechanic(0), unasked=False)).roles)
    assert (found.avoided_contacts, found.unasked, found.gestures) == (10, 5, 6)


def test_apologies_and_remedies_lift_too_and_no_gesture_is_made_of_them(shelf: Book):
    def put_right(n: int) -> Story:
        tale = reported(severity=3).when(Apologise(said="admits"), at=2, actor=waiter(n))
        return tale.when(DeliverRemedy(remedy_kind="replacement", resolves="full"), at=5, actor=waiter(n))

    found = only(of(shelf, *(put_right(n) for n in range(5))).classes)
    assert (found.acts, found.lifting_acts, found.gestures) == (10, 10, 0)
    assert found.lift_inferred > 5 * 500


def test_to_think_less_of_a_failure_is_no_deed(shelf: Book):
    less = Reassess(severity=1, reason="it was less")
    tales = [reported(severity=4).when(less, at=5, actor=waiter(n)) for n in range(5)]
    assert of(shelf, *tales).classes == []


def test_a_word_written_down_is_not_the_deed_of_who_wrote_it(shelf: Book):
    found = of(shelf, *(nps_10(story().given(RelationshipOpened())) for _ in range(5)))
    assert (found.classes, found.n) == ([], 0)


def test_a_better_word_is_shared_with_what_was_done_before_the_period(shelf: Book):
    tales = [
        nps_10(helped(mechanic(n), at=5).when(MakeGesture(kind="surprise"), at=50, actor=mechanic(n)))
        for n in range(5)
    ]
    found = only(of(shelf, *tales, within=period(since=40)).roles)
    assert (found.acts, found.lift_inferred, found.lift_stated) == (5, 5 * 200, 5 * 630)


def test_four_colleagues_are_hidden_and_nobody_can_work_them_out(shelf: Book):
    tales = [helped(mechanic(n)) for n in range(4)] + [helped(waiter(n)) for n in range(5)]
    found = of(shelf, *tales)
    assert [one.role_class for one in found.classes] == ["front"]
    assert (found.hidden_classes, found.hidden_roles, found.n) == (1, 1, 5)
    assert (found.everyone, found.back_office) == (None, None)


def test_one_accountant_does_not_stand_alone_beside_five_mechanics(shelf: Book):
    """Back office less mechanics would be the accountant: so the six are told together only."""
    accountant = colleague("the accountant", "accountant", "back")
    found = of(shelf, *(helped(mechanic(n)) for n in range(5)), helped(accountant))
    assert (only(found.classes).colleagues, found.roles, found.hidden_roles) == (6, [], 2)
    assert found.everyone is not None
    assert found.everyone.gestures == 6


def test_one_colleague_who_did_much_is_one(shelf: Book):
    found = of(shelf, *(helped(mechanic(1)) for _ in range(20)))
    assert (found.classes, found.everyone, found.n) == ([], None, 0)


def test_programs_and_customers_make_no_loyalty(shelf: Book):
    program = Actor(kind="service", ref="k:shop")
    customers = [Actor(kind="customer", ref=colleague(f"c {n}").ref, role_class="front") for n in range(5)]
    assert of(shelf, *(helped(one) for one in [program, *customers])).classes == []


def test_a_key_that_says_which_role_acted_stands_for_one_colleague(shelf: Book):
    keys = [Actor(kind="service", ref=f"k:garage-{n}", role="mechanic", role_class="back") for n in range(5)]
    assert only(of(shelf, *(helped(one) for one in keys)).roles).colleagues == 5


def test_no_row_holds_an_id_of_a_colleague(shelf: Book):
    told(shelf, helped(mechanic(1)))
    [row] = shelf.rows(loyalty_makers.Loyalty())["loyalty_acts"]
    assert mechanic(1).id not in row.values()


def test_of_nothing_nothing_is_told(shelf: Book):
    found = of(shelf, reported())
    assert (found.n, found.relationships, found.classes, found.everyone) == (0, 1, [], None)
