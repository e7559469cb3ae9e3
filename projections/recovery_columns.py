"""Columns of recoveries: what is written of a customer and of each of his cases, and what of it is new."""

from dataclasses import fields
from operator import attrgetter
from typing import Final

from domain.recovery import Recovery
from domain.relationship import Relationship
from projections.base import Row, text_list
from projections.checklist import checklist, coverage
from projections.recovery_cases import CLOCKS, OVERDUE_WEIGHT, Case, Cases, Note, Standing, status


def of_customer(cases: Cases, standing: Standing) -> Row:
    """The row about all of a customer's recoveries."""
    return {
        # Of the relationship, what every fact brings with it is left out: so it seldom needs to be written.
        "cases": cases.but(relationship=cases.relationship.but(recoveries={}, version=0, position=0), notes={}),
        **_standing(cases, standing),
    }


def _standing(cases: Cases, known: Standing) -> Row:
    standing = known.look(cases.relationship)
    return {
        # Nothing falls due any more for somebody who asked to be forgotten.
        "next_due_at": standing.next_due_at if cases.relationship.status == "active" else None,
        "status": status(cases, standing),
        "open_recoveries": standing.open,
    }


def standing_alone(before: Row, row: Row) -> Row | None:
    """How the customer stands, where no more than that can be new; nothing where that is not, else None."""
    known: Cases = before.get("whole") or before["cases"]
    cases: Cases = row["whole"]
    if known.won_back != cases.won_back:
        return None
    if _kept_of(known.relationship) != _kept_of(cases.relationship):
        return None
    # What of a customer does not come from his recoveries was compared already.
    same = known.relationship.recoveries is cases.relationship.recoveries
    return {} if same else _standing(cases, row["standing"])


def _case(row: Row) -> tuple[Recovery, Note]:
    """The recovery and what is noted of it, as it was folded or as it was read."""
    found: tuple[Recovery, Note] | None = row.get("case")
    return found or (row["kept"].recovery, row["kept"].note)


def kept_alone(before: Row, row: Row) -> Row | None:
    """What nobody is shown of a recovery, and where it comes from, where nothing else is new; else None."""
    known, now = _case(before), row["case"]
    # Whoever has not asked to be forgotten had not asked before.
    if not row["active"] or known[1] != now[1] or _told_of(known[0]) != _told_of(now[0]):
        return None
    return {"position": row["position"], "kept": Case(*now)}


def of_recovery(row: Row) -> Row:
    """The row about one recovery."""
    one, note = _case(row)
    copied, noted = vars(one), vars(note)
    # Told too late to raise an alarm, they are due all the same; those of another system never are here.
    running = {step: at.due_at for step, at in one.deadlines.items() if at.fires}
    overdue, steps = _overdue(one), checklist(one)
    covered, due = coverage(steps)
    return {
        "recovery_id": row["recovery_id"],
        "kept": Case(one, note),
        "position": row["position"],
        "open": one.phase != "closed" and row["active"],
        "urgency": one.urgency,
        **{name: copied[name] for name in _COPIED},
        **{name: noted[name] for name in _NOTED},
        "checklist": steps,
        "steps_due": due,
        "steps_covered": covered,
        "deadlines": {step: at.due_at for step, at in one.deadlines.items()},
        "promised": text_list(note.promised),
        "missed": text_list(one.missed),
        **{f"due_{step}": running.get(step) for step in CLOCKS},
        "next_due_at": min(running.values(), default=None),
        "overdue": overdue,
        "risk": _risk(one, note) + OVERDUE_WEIGHT * overdue,
        "escalated": one.escalation is not None,
        "failed_again": one.deviations,
    }


_COPIED: Final = (
    ("opened_at", "phase", "what", "failure_kind", "resource", "severity", "severity_customer", "fault")
    + ("detection", "similarity_key", "owner", "team", "silent_since", "silences", "reopenings", "leaving", "lost")
    + ("public", "first_contact", "resolved_at", "closed_at", "outcome")
)
_MADE_OF: Final = ("loss", "repeated", "done", "waived", "deadlines", "missed", "settled_by", "escalation")
_told_of: Final = attrgetter(*_COPIED, *_MADE_OF, "deviations")
"""All of a recovery that its row shows, or makes something of: the rest of it is kept to fold on and no more."""
_BROUGHT: Final = ("recoveries", "version", "position")
_kept_of: Final = attrgetter(*(one.name for one in fields(Relationship) if one.name not in _BROUGHT))
"""All of a relationship that its row keeps: recoveries have rows of their own, and every fact brings the rest."""
_NOTED: Final = ("treated_after", "how_code", "first_instrument", "first_value", "follow_up")


def _overdue(recovery: Recovery) -> int:
    """How many steps missed their time and are still not done."""
    if recovery.phase == "closed":
        return 0
    steps = {"compensation", "follow_up"} if recovery.ended else set(CLOCKS) - {"update", "response"}
    settled = {*recovery.done, *recovery.waived, *recovery.deadlines}
    return len((steps & set(recovery.missed)) - settled)


def _risk(recovery: Recovery, note: Note) -> int:
    """How much it matters that somebody looks at it, but for what is overdue. Source: domain.md section 7."""
    return (
        10 * recovery.urgency
        + 10 * recovery.silences
        + 20 * recovery.leaving
        + 25 * note.treated_after
        + 15 * (recovery.deviations > 0)
        + 10 * recovery.public
    )
