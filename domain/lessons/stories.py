"""Stories: which steps of a recovery may be told to the whole house, and which codes of them.

A story holds codes and offsets ("+6 min") only: no person, no words, no date, no id of the customer's.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from domain.kinds import Event, Fact
from domain.milestones import SatisfactionStated
from domain.moves.gesture import GestureMade
from domain.relationship import RecoveryEvent

Step = Mapping[str, Any]
"""One step: `what` happened, how long `after` the report, `by` which role class, and the codes as `details`."""

STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "recovery.acknowledged": ("channel", "human"),
    "recovery.handed_off": ("context_shared",),
    "concern.heard": ("confirmed", "compassion"),
    "customer.updated": ("kind", "human"),
    "customer.contacted_again": ("channel", "repeated_information"),
    "information.requested": ("already_held",),
    "apology.made": ("stage", "said", "feeling_named", "explanation", "accepted"),
    "remedy.promised": ("remedy_kind", "repaid_by", "unasked"),
    "remedy.delivered": ("resolves", "how"),
    "remedy.failed": (),
    "request.refused": ("reason",),
    "offer.turned_down": (),
    "compensation.granted": ("kind", "basis", "timing"),
    "compensation.delivered": ("late",),
    "return_invitation.issued": ("what",),
    "deadline.missed": ("step",),
    "silence.noticed": ("n",),
    "escalation.raised": ("level", "trigger"),
    "escalation.settled": (),
    "follow_up.completed": ("outcome",),
    "satisfaction.stated": ("instrument", "value"),
    "recovery.resolved": ("how_code", "first_contact"),
    "recovery.reopened": ("cause",),
    "recovery.closed": ("outcome",),
    "gesture.made": ("kind", "degree", "unasked"),
}
"""What a story tells, and which codes of it. Poor treatment and obstacles are not told: nobody is shown up."""
SHOWING_UP: Final = ("cause", "trigger")
"""Codes that stay out of a step where they say `treatment`; a step that has nothing else to say stays out too."""


def step(fact: Fact, since: datetime) -> Step | None:
    """What this fact adds to a story that began then, if it is one that is told."""
    names = STEPS.get(fact.event.TOPIC)
    if names is None or not isinstance(fact.event, RecoveryEvent | SatisfactionStated | GestureMade):
        return None
    details = _details(fact.event, names)
    if len(names) == 1 and not details and getattr(fact.event, names[0]) is not None:
        return None
    return {
        "what": fact.event.TOPIC,
        "after": offset(fact.occurred_at - since),
        "by": fact.actor.role_class,
        # Apart: an event may name its fields as it likes.
        "details": details,
    }


def _details(event: Event, names: tuple[str, ...]) -> dict[str, Any]:
    told = {name: getattr(event, name) for name in names}
    return {
        name: value
        for name, value in told.items()
        if value is not None and not (name in SHOWING_UP and value == "treatment")
    }


def offset(after: timedelta) -> str:
    """How long after the report, as people say it: +6 min, +3 h, +2 d."""
    minutes = max(0, int(after / timedelta(minutes=1)))
    if minutes < 120:
        return f"+{minutes} min"
    return f"+{minutes // 60} h" if minutes < 48 * 60 else f"+{minutes // 1440} d"
