"""Gesture: kindness beyond duty."""

from domain.milestones import RelationshipOpened
from domain.moves.gesture import GestureMade, MakeGesture
from domain.values import Money
from tests.support.given import named_id, refused, story
from tests.support.stories import PLUMS, report, reported

WIPER = named_id("wiper")


def test_only_the_kind_is_needed():
    (made,) = reported().when(MakeGesture(kind="surprise"), at=1).then(GestureMade)
    assert (made.kind, made.degree, made.unasked, made.avoided_contacts) == ("surprise", 1, True, 0)


def test_a_gesture_has_a_cost_and_spares_the_customer_visits():
    pads = MakeGesture(kind="prevention", degree=3, cost=Money(minor=4500, currency="EUR"), avoided_contacts=1)
    (made,) = reported().when(pads, at=1).then(GestureMade)
    assert (made.degree, made.avoided_contacts) == (3, 1)
    assert made.cost == Money(minor=4500, currency="EUR")


def test_helping_a_stranger_opens_a_prospects_relationship():
    met = story().when(MakeGesture(kind="help_beyond_duty"), references=(("phone", "+30 210 0000000"),))
    opened, made = met.then(RelationshipOpened, GestureMade)
    assert (opened.party_kind, opened.contactable) == ("prospect", True)
    assert opened.references[0].value == "+30 210 0000000"
    assert made.recovery_id is None
    assert met.state.party_kind == "prospect"


def test_a_gesture_belongs_to_the_only_open_recovery_if_there_is_one():
    (made,) = reported().when(MakeGesture(kind="extra_care"), at=1).then(GestureMade)
    assert made.recovery_id == PLUMS
    both = reported().when(report("pears"))
    (made,) = both.when(MakeGesture(kind="extra_care"), at=1).then(GestureMade)
    assert made.recovery_id is None


def test_the_same_gesture_counts_once():
    care = MakeGesture(kind="extra_care", gesture_id=WIPER)
    with refused("already_exists", what="gesture"):
        reported().when(care, at=1).when(care, at=2)


def test_a_gesture_in_a_recovery_nobody_knows_is_refused():
    with refused("unknown_ref", what="recovery"):
        story().when(MakeGesture(kind="extra_care", recovery_id=PLUMS))
