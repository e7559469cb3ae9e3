"""Learning: what follows from signs is the same in whatever steps somebody looks at them."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import hypothesis
from hypothesis import strategies as st

from domain.colleagues.asking import AskForHelp
from domain.counting import BEGUN, Tally
from domain.duties.learning import Ask, learn
from domain.duties.signs import Sign, SignKind
from domain.lessons.commands import DraftLesson
from tests.support.careers import day
from tests.support.given import named_id

LEAD = named_id("lead")
KINDS: tuple[SignKind, ...] = ("untrained", "blocked", "failed", "closed", "stated")


def sign(position: int, kind: SignKind, about: str | None, at: float, late: float = 0, value: int = 4) -> Sign:
    """A sign at this place of the ledger; `at` and `late` in days."""
    return Sign(
        position=position,
        kind=kind,
        event_id=named_id(f"event {position}"),
        stream_id=named_id("he"),
        occurred_at=day(at),
        recorded_at=day(at + late),
        recovery_id=named_id(f"recovery {about}"),
        told_by=named_id("clerk"),
        about=about,
        value=value,
    )


class Counts(dict[tuple[str, str], Tally]):
    """How far each count has come."""

    def get(self, duty: str, about: str) -> Tally:  # type: ignore[override]
        return super().get((duty, about), BEGUN)

    def put(self, duty: str, about: str, tally: Tally) -> None:
        self[duty, about] = tally


class Ledger:
    """What a ledger of these signs held up to each of them."""

    def __init__(self, signs: Sequence[Sign], asker: UUID | None = LEAD) -> None:
        self._signs, self._asker = signs, asker

    def team(self, sign: Sign) -> str | None:
        return "desk"

    def asker(self, sign: Sign, team: str) -> UUID | None:
        return self._asker

    def owner(self, sign: Sign) -> UUID | None:
        return self._asker

    def of_recovery(self, sign: Sign) -> list[Sign]:
        return [
            one for one in self._signs if one.recovery_id == sign.recovery_id and one.position <= sign.position
        ]

    def shown_before(self, sign: Sign) -> int:
        return 7000


def asks(signs: Sequence[Sign], known: Ledger | None = None) -> list[Ask]:
    return list(learn(signs, Counts(), known or Ledger(signs)))


def test_d9_what_is_asked_for_and_its_key_come_from_the_trigger_alone():
    [ask] = asks([sign(n, "untrained", "returns", at=n) for n in (1, 2, 3)])
    assert ask.key == f"D9:{named_id('event 3')}:help"
    assert ask.stream == named_id("lead")
    assert isinstance(ask.command, AskForHelp)
    asked = ask.command
    assert (asked.kind, asked.topic, asked.from_, asked.due_at) == ("training", "returns", "obstacles", day(10))
    assert asked.help_id is None


def test_d10_a_review_is_asked_for_within_fourteen_days():
    [ask] = asks([sign(n, "blocked", "receipt", at=1) for n in range(1, 6)])
    assert isinstance(ask.command, AskForHelp)
    assert (ask.key, ask.command.kind) == (f"D10:{named_id('event 5')}:review", "rule")
    assert ask.command.due_at == day(1) + timedelta(days=14)


def test_d8_a_lesson_is_known_by_what_gave_rise_to_it():
    signs = [sign(n, "failed", "late:", at=n, value=2) for n in (1, 2, 3)]
    [ask] = asks(signs)
    assert isinstance(ask.command, DraftLesson)
    assert (ask.key, ask.stream) == (f"D8:{named_id('event 3')}:lesson", None)
    assert (ask.command.topic, ask.command.trigger) == ("late:", named_id("event 3"))


def test_late_news_is_counted_and_asks_for_nothing():
    for kind, times, late in (("untrained", 3, 7), ("blocked", 5, 14), ("failed", 3, 30)):
        for days, found in ((late - 0.1, 1), (late, 0)):
            signs = [sign(n, kind, "one", at=0, late=days) for n in range(1, times + 1)]
            assert len(asks(signs)) == found, (kind, days)


def test_late_news_takes_nothing_from_what_was_counted_in_time():
    for kind, times, late in (("untrained", 3, 8), ("blocked", 5, 15), ("failed", 3, 40)):
        fresh = [sign(n, kind, "one", at=late) for n in range(1, times)]
        told_late, next_one = sign(times, kind, "one", at=0, late=late), sign(times + 1, kind, "one", at=late)
        assert asks([*fresh, told_late]) == []
        [ask] = asks([*fresh, told_late, next_one])
        assert ask.trigger == next_one


def test_where_nobody_is_known_nothing_is_asked_for_and_the_count_begins_anew():
    signs = [sign(n, "untrained", "returns", at=n) for n in range(1, 6)]
    assert asks(signs, Ledger(signs, asker=None)) == []
    counts = Counts()
    assert list(learn(signs[:3], counts, Ledger(signs, asker=None))) == []
    assert list(learn(signs[3:], counts, Ledger(signs))) == []


SOME = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(("a", "b")), st.integers(0, 90), st.sampled_from((0, 9))),
    max_size=40,
)


@hypothesis.given(SOME, st.lists(st.integers(0, 60), max_size=6))
def test_looking_at_all_at_once_or_in_any_steps_asks_for_the_same(
    told: list[tuple[SignKind, str, int, int]], cuts: list[int]
):
    signs = [sign(n, kind, about, at, late) for n, (kind, about, at, late) in enumerate(told, start=1)]
    counts, found, whole = Counts(), [], Ledger(signs)
    bounds = sorted({0, *(cut for cut in cuts if cut < len(signs)), len(signs)})
    for begins, ends in pairwise(bounds):
        found += list(learn(signs[begins:ends], counts, whole))
    assert [(one.key, one.command) for one in found] == [(one.key, one.command) for one in asks(signs)]
