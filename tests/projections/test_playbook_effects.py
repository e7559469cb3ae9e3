"""Playbook effects: what was ready when failures came, and how it went by playbook and version."""

from datetime import datetime
from typing import Any

from domain.moves.failure import Reassess
from domain.moves.follow_up import CompleteFollowUp
from domain.moves.outcome import Close, Reopen, Resolve
from domain.moves.voice import StateSatisfaction
from domain.publishing import Edition, Publication
from projections import playbook_effects
from projections.arrivals import Arrivals
from projections.playbook_effects import PlaybookEffect, PlaybookReport
from projections.recovery_rows import Recoveries
from tests.support import reporting
from tests.support.given import START, Story, named_id, story
from tests.support.ledgers import Book
from tests.support.reporting import asked, minute, period
from tests.support.stories import PLUMS, put_right, report, reported, resolved

HOT = {"match": {"touchpoint": "kitchen", "severity_range": [3, 5]}, "steps": ["Cook it again."]}


def told(shelf: Book, *tales: Story) -> Book:
    """The shelf with each of these stories told, and the read models that this report asks caught up."""
    return reporting.told(shelf, *tales, only=(Arrivals(), Recoveries()))


def published(name: str, *bodies: tuple[datetime, dict[str, Any]]) -> Publication:
    """A playbook of the house with these versions."""
    editions = tuple(Edition(n, begins, body) for n, (begins, body) in enumerate(bodies, start=1))
    return Publication(named_id(name), version=len(editions), kind="playbook", name=name, editions=editions)


def of(shelf: Book, *tales: Story, by: tuple[Publication, ...] = (), **within: float) -> PlaybookReport:
    """The report after these stories, in a house that has published these playbooks."""
    found: PlaybookReport = asked(told(shelf, *tales), playbook_effects.report, period(**within), by)
    return found


def named(found: PlaybookReport, name: str, version: int = 1) -> PlaybookEffect:
    """What is told of this version."""
    [one] = [one for one in found.playbooks if (one.name, one.version) == (name, version)]
    return one


def stated(tale: Story, value: int) -> Story:
    """The customer says how he feels, from 1 to 5."""
    words = StateSatisfaction(instrument="CSAT", value=value, about="recovery", recovery_id=PLUMS)
    return tale.when(words, at=20)


def test_s1_23_readiness_is_the_share_of_failures_with_a_playbook_of_their_sort_on_arrival(shelf: Book):
    tales = [reported(what="badly_done") for _ in range(8)] + [reported(what="other") for _ in range(2)]
    found = of(shelf, *tales)
    ready = found.readiness
    assert (ready.hits, ready.n, ready.share, ready.low, ready.high) == (8, 10, 0.8, 0.4902, 0.9433)
    assert [(one.name, one.n, one.for_every_case) for one in found.playbooks] == [
        ("reperform-now", 8, False),
        ("fallback", 2, True),
    ]


def test_the_playbook_is_the_one_that_was_in_force_when_the_failure_came(shelf: Book):
    book = published("kitchen", (minute(5), HOT), (minute(15), HOT))
    tales = [
        story().when(report(what="other", touchpoint="kitchen", severity=3), at=at) for at in (0, 5, 10, 15, 20)
    ]
    found = of(shelf, *tales, by=(book,))
    assert [(one.name, one.version, one.n) for one in found.playbooks] == [
        ("kitchen", 1, 2),
        ("kitchen", 2, 2),
        ("fallback", 1, 1),
    ]


def test_a_case_is_judged_as_it_came_whatever_it_turned_out_to_be(shelf: Book):
    tale = reported(what="other", touchpoint="kitchen", severity=1)
    tale.when(Reassess(severity=4, reason="It burnt his tongue."), at=1)
    found = of(shelf, tale, by=(published("kitchen", (START, HOT)),))
    assert [one.name for one in found.playbooks] == ["fallback"]


def test_the_customers_own_severity_counts_up_to_four(shelf: Book):
    book = published("grave", (START, {"match": {"severity_range": [4, 4]}}))
    tale = reported(what="other", severity=1, severity_customer=5)
    assert [one.name for one in of(shelf, tale, by=(book,)).playbooks] == ["grave"]


def test_it_tells_how_long_it_took_what_customers_said_and_what_was_opened_again(shelf: Book):
    slow = put_right().when(Resolve(), at=30)
    back = resolved().when(Reopen(cause="recurrence"), at=40)
    found = of(shelf, stated(resolved(), 5), stated(resolved(), 4), slow, back, reported())
    exchange = named(found, "exchange")
    assert (exchange.n, exchange.resolved, exchange.comparable) == (5, 3, False)
    assert (exchange.minutes_to_resolve.median, exchange.minutes_to_resolve.p90) == (10, 26)
    assert (exchange.displeased.hits, exchange.displeased.n) == (0, 2)
    assert (exchange.reopened.hits, exchange.reopened.n) == (1, 4)


def test_the_first_word_decides_whether_he_was_displeased(shelf: Book):
    low = stated(stated(resolved(), 2), 5)
    asked_for = resolved().when(CompleteFollowUp(outcome="no_objection"), at=30)
    silent = resolved().when(CompleteFollowUp(outcome="declined"), at=30)
    displeased = named(of(shelf, low, asked_for, silent), "exchange").displeased
    assert (displeased.hits, displeased.n) == (1, 2)


def test_what_was_closed_is_told_by_its_outcome(shelf: Book):
    satisfied = resolved().when(CompleteFollowUp(outcome="satisfied"), at=20)
    satisfied.when(Close(outcome="satisfied"), at=30)
    lost = reported().when(Close(outcome="lost"), at=30)
    mistaken = reported().when(Close(outcome="entered_in_error"), at=30)
    found = of(shelf, satisfied, lost, mistaken)
    assert (found.n, named(found, "exchange").outcomes) == (2, {"lost": 1, "satisfied": 1})


def test_it_is_told_as_of_then_and_of_what_came_in_the_period(shelf: Book):
    shelf = told(shelf, resolved())
    early = asked(shelf, playbook_effects.report, period(as_of=9))
    assert (early.n, early.playbooks[0].resolved) == (1, 0)
    assert asked(shelf, playbook_effects.report, period(since=1)).n == 0
    assert asked(shelf, playbook_effects.report, period(until=0)).readiness.share is None
