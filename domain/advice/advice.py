"""Advice as it is given: the step, why, until when, with what words, and what there is to choose from."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.standards.playbook import ExpectationNote
from domain.values import Code, Money

Step = Literal[
    "escalate",
    "hand_over",
    "tell_first",
    "acknowledge_and_apologise",
    "apologise",
    "instant_remedy",
    "listen",
    "override_rule",
    "work_around_and_tell_owner",
    "find_lawful_way",
    "remove_obstacle",
    "offer_remedy",
    "deliver_or_promise_anew",
    "show_compassion",
    "compensate_or_waive",
    "decide_compensation",
    "deliver_compensation",
    "update_customer",
    "deliver_remedy",
    "apologise_in_closing",
    "resolve",
    "ask_how_it_went",
    "invite_back",
    "find_cause",
    "close",
    "nothing",
]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Option(_Told):
    """Something one can do now: the command that records it, and whether the asker may."""

    id: str
    command: Code
    kind: Code | None = None
    """Of which remedy, compensation, obstacle or outcome."""
    points: int | None = None
    """What it is worth to the customer, by the satisfaction model; of an offer, percent of what it costs."""
    effort: int | None = None
    """What it costs the house beside the others, from 1 to 5."""
    value: Money | None = None
    cost: Money | None = None
    preventive: bool = False
    approval: bool = False
    """Whether somebody else must say yes first, by the rule for this kind and what this customer got."""
    who_can: tuple[Code, ...] = ()
    """Who may do it alone, where the asker may not; of a rule, who owns it."""


class AfterApproval(_Told):
    """What the asker may give once somebody says yes, who that is, and how long he has to wait at most."""

    up_to: Money
    by: Code
    max_wait: timedelta | None
    kinds: tuple[Code, ...] = ()
    """Of these kinds only; without any, of every kind."""


class AuthorityLeft(_Told):
    """What the asker may still give this customer alone, and the rule that says so. Nothing where none does.

    The budget, what the colleague gave others on the same day, and trainings are not looked at: the check of
    authority does.
    """

    up_to: Money | None = None
    """At once, with what the customer will get if nobody decides on what was asked for counted in."""
    kinds: tuple[Code, ...] = ()
    """Of these kinds only; without any, of every kind."""
    given: Money | None = None
    """What the customer got within the period of the rule."""
    per_grant: Money | None = None
    per_customer: Money | None = None
    per_colleague_day: Money | None = None
    standard: Code | None = None
    version: int | None = None
    rule_id: Code | None = None
    after_approval: AfterApproval | None = None


class ClosingWords(_Told):
    """How to end, and how not to."""

    do: tuple[str, ...]
    dont: tuple[str, ...]


class NextStep(_Told):
    """The next best step of one recovery. It advises only: whatever is done instead is recorded as well."""

    recovery_id: UUID
    step: Step
    reason_code: Code
    due_at: datetime | None
    overdue: bool
    script_ref: str
    """The playbook, its version and the part of it."""
    script: tuple[str, ...]
    options: tuple[Option, ...]
    authority_left: AuthorityLeft
    dignity: tuple[str, ...] = ()
    """How to let the customer keep his face, where he had a part in it."""
    closing_words: ClosingWords | None = None
    expectation_notes: tuple[ExpectationNote, ...] = ()
    """What customers wish for and what the house does about it, for whoever would not wish for it himself."""
