"""Rules of advice, in order: the first that has something to say decides. Source: domain.md section 5.

None of them asks the customer for anything before he is helped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.advice.advice import Option, Step
from domain.advice.look import LIVE, Look
from domain.advice.options import HAND_OVER, acts, compensations, ranked, remedies
from domain.clocks import awaits_compensation
from domain.recovery import Recovery, Request
from domain.standards.rule import harder

GRAVE: Final = 3
"""From this severity on a cause is looked for and the customer is invited back."""
HEARD_FROM: Final = 2
"""From this severity on somebody must have listened."""
STEPS, CLOSING = "steps", "closing"


@dataclass(frozen=True)
class Advised:
    """What one rule says."""

    step: Step
    reason: str
    options: tuple[Option, ...]
    due_at: datetime | None = None
    section: str = STEPS


Rule = Callable[[Look], Advised | None]


def danger(look: Look) -> Advised | None:
    """Safety, law or a large loss: somebody with more authority must know, whatever else is done."""
    if look.recovery.urgency < 5 or look.case.escalated or look.recovery.ended:
        return None
    return Advised("escalate", "safety_or_legal", acts(look, "escalate"), look.due("acknowledge", "first_action"))


def poor_treatment(look: Look) -> Advised | None:
    """He was treated poorly. Whoever was reported must not judge his own case; who it is, is not told (I-21)."""
    recovery = look.recovery
    if recovery.ended or recovery.owner is None or not look.case.for_treatment:
        return None
    settle = Option(id="settle-escalation", command="settle-escalation")
    options = (HAND_OVER,) if recovery.escalation is None else (HAND_OVER, settle)
    return Advised("hand_over", "poor_treatment", options, recovery.settle_by)


def first_words(look: Look) -> Advised | None:
    """Nobody answered the customer, or nobody has said sorry since it went wrong."""
    recovery, due = look.recovery, look.due("acknowledge")
    if recovery.ended:
        return None
    if "acknowledge" not in recovery.done:
        on_the_spot = remedies(look, "instant-remedy") if look.without_questions else []
        if recovery.detection != "customer_reported":
            return Advised("tell_first", "not_told", _with(look, on_the_spot, "update-customer", "apologise"), due)
        told = _with(look, on_the_spot, "apologise", "acknowledge")
        return Advised("acknowledge_and_apologise", "not_acknowledged", told, due)
    if recovery.apologised or "apology" in recovery.waived:
        return None
    reason = "failed_again" if recovery.reopenings else "not_apologised"
    return Advised("apologise", reason, acts(look, "apologise"), look.due("first_action", "remedy"))


def _with(look: Look, remedies_now: list[Option], *commands: str) -> tuple[Option, ...]:
    words = [Option(id=command, command=command) for command in commands]
    return ranked([*words, *remedies_now])


def on_the_spot(look: Look) -> Advised | None:
    """A remedy can be had at once, so nobody asks anything."""
    if not look.without_questions:
        return None
    options = ranked(remedies(look, "instant-remedy"))
    return Advised("instant_remedy", "within_authority", options, look.due("first_action", "remedy"))


def listening(look: Look) -> Advised | None:
    """The customer is there, and nobody has listened yet."""
    recovery = look.recovery
    if recovery.ended or look.case.heard or recovery.urgency < HEARD_FROM or look.case.channel not in LIVE:
        return None
    return Advised("listen", "not_heard", acts(look, "hear-concern"), look.due("first_action", "remedy"))


def obstacles(look: Look) -> Advised | None:
    """Something stands in the way: a soft rule is overridden, a system worked around, the rest removed."""
    met = look.obstacle
    if met is None or look.recovery.ended:
        return None
    due = look.due("first_action", "remedy")
    if met.kind != "policy_block":
        return Advised("remove_obstacle", str(met.kind)[:64], acts(look, "remove-obstacle"), due)
    rule = look.house.rule(met.rule_id).body
    hardness = harder(rule.hardness, met.hardness)
    tell = Option(id="tell-owner", command="escalate", kind=rule.owner, who_can=(rule.owner,))
    around = Option(id="work-around", command="remove-obstacle", kind="workaround")
    if hardness == "soft":
        override = Option(id="override-rule", command="remove-obstacle", kind="rule_overridden")
        return Advised("override_rule", "soft_rule", ranked([override, around]), due)
    if hardness == "system":
        return Advised("work_around_and_tell_owner", "system_rule", ranked([around, tell]), due)
    instead = Option(id="refuse-request", command="refuse-request", kind="legal")
    return Advised("find_lawful_way", "hard_rule", ranked([around, instead, tell]), due)


def no_remedy(look: Look) -> Advised | None:
    """Nothing was offered yet that would put it right."""
    if look.recovery.ended or not look.owes_remedy:
        return None
    due = look.due("first_action", "remedy")
    return Advised("offer_remedy", "no_remedy", ranked(remedies(look, "promise-remedy")), due)


def broken_promise(look: Look) -> Advised | None:
    """We gave our word, and the time has passed."""
    recovery = look.recovery
    due = [look.case.promised[one] for one in look.under_way if one in look.case.promised]
    due += recovery.commitments.values()
    if look.under_way and (remedy := look.due("remedy")) is not None:
        due.append(remedy)
    first = min(due, default=None)
    if first is None or first > look.as_of:
        return None
    kept = ["deliver-remedy"] if look.under_way else ["keep-commitment"]
    return Advised(
        "deliver_or_promise_anew", "promise_overdue", acts(look, *kept, "apologise", "make-commitment"), first
    )


def compassion(look: Look) -> Advised | None:
    """Nobody has shown him that it matters."""
    recovery = look.recovery
    if recovery.ended or "compassion" in recovery.done or "compassion" in recovery.waived:
        return None
    ways = ("named_feeling", "practical_care", "time_given", "privacy")
    options = (Option(id=f"hear-concern:{way}", command="hear-concern", kind=way) for way in ways)
    return Advised("show_compassion", "no_compassion", ranked(options), look.due("remedy"))


def compensation(look: Look) -> Advised | None:
    """More than what was owed is expected, and nothing was given."""
    recovery = look.recovery
    if undecided := _undecided(recovery):
        return _asked_for(undecided)
    if not awaits_compensation(recovery) or any(one.stands for one in recovery.compensations.values()):
        return None
    return Advised("compensate_or_waive", "compensation_expected", _gifts(look), look.due("compensation"))


def _gifts(look: Look) -> tuple[Option, ...]:
    waive = Option(id="waive-step:compensation", command="waive-step", kind="compensation")
    return ranked([*compensations(look), waive])


def _undecided(recovery: Recovery) -> list[Request]:
    """What needs a yes or a no now: what was granted because nobody gave one is handed over first."""
    granted = _granted(recovery)
    return [one for one in recovery.requests.values() if not (granted and one.timed_out)]


def _granted(recovery: Recovery) -> bool:
    return any(one.status == "granted" for one in recovery.compensations.values())


def _asked_for(undecided: list[Request]) -> Advised:
    """Somebody waits for a yes, and the customer with him."""
    first = min(undecided, key=lambda one: one.decide_by)
    say_yes = Option(
        id="decide-compensation", command="decide-compensation", approval=True, who_can=(first.approver,)
    )
    return Advised("decide_compensation", "approval_waits", ranked([say_yes]), first.decide_by)


def undelivered(look: Look) -> Advised | None:
    """Something was granted that the customer does not have yet."""
    if not _granted(look.recovery):
        return None
    return Advised(
        "deliver_compensation",
        "granted_not_delivered",
        acts(look, "deliver-compensation"),
        look.due("compensation"),
    )


def update(look: Look) -> Advised | None:
    """He was promised news by now, or has heard nothing for too long."""
    recovery = look.recovery
    if recovery.ended:
        return None
    due = look.due("update")
    if due is None and look.relationship.contactable:
        due = look.promised_by("update_interval", recovery.contacted_at)
    if due is None or due > look.as_of:
        return None
    return Advised("update_customer", "update_due", acts(look, "update-customer"), due)


def delivery(look: Look) -> Advised | None:
    """A remedy was promised and is on its way."""
    if not look.under_way or look.recovery.ended:
        return None
    promised = [look.case.promised[one] for one in look.under_way if one in look.case.promised]
    due = min(promised, default=look.due("remedy"))
    return Advised("deliver_remedy", "promised", acts(look, "deliver-remedy", "update-customer"), due)


def last_words(look: Look) -> Advised | None:
    """It is put right, and he has not heard a word since."""
    recovery = look.recovery
    delivered = any(one.status == "delivered" for one in recovery.remedies.values())
    if recovery.ended or not delivered or look.case.closing_apology or "apology" in recovery.waived:
        return None
    return Advised("apologise_in_closing", "no_closing_apology", acts(look, "apologise"), section=CLOSING)


def resolution(look: Look) -> Advised | None:
    """All is done that is owed."""
    if look.recovery.ended:
        return None
    return Advised("resolve", "all_done", acts(look, "resolve"), look.due("remedy"), CLOSING)


def asking(look: Look) -> Advised | None:
    """Nobody has asked him how it went."""
    recovery = look.recovery
    answered = recovery.stated or recovery.declined or "follow_up" in recovery.waived
    if recovery.phase != "resolved" or answered:
        return None
    planned = look.due("follow_up") or recovery.follow_up_at
    due = planned or look.promised_by("follow_up", recovery.resolved_at)
    options = acts(look, "complete-follow-up", "attempt-follow-up", "waive-step")
    return Advised("ask_how_it_went", "follow_up_due", options, due, CLOSING)


def inviting(look: Look) -> Advised | None:
    """It was grave, or he means to go, and nobody has asked him to come back."""
    recovery = look.recovery
    if recovery.invitations or recovery.phase != "resolved" or not (recovery.urgency >= GRAVE or recovery.leaving):
        return None
    reason = "leaving_announced" if recovery.leaving else "grave"
    return Advised("invite_back", reason, acts(look, "invite-back"), section=CLOSING)


def cause(look: Look) -> Advised | None:
    """It was grave, and nobody knows why it went wrong."""
    recovery = look.recovery
    known = "root_cause" in recovery.done or "root_cause" in recovery.waived
    if recovery.urgency < GRAVE or known or recovery.phase != "resolved":
        return None
    return Advised("find_cause", "no_root_cause", acts(look, "attribute-cause", "waive-step"), section=CLOSING)


def unfinished(look: Look) -> Advised | None:
    """It was grave, and cannot be closed before something was given or expressly not given (I-13)."""
    recovery = look.recovery
    settled = "compensation" in recovery.done or "compensation" in recovery.waived
    if recovery.phase != "resolved" or recovery.urgency < GRAVE or settled:
        return None
    return Advised("compensate_or_waive", "needed_to_close", _gifts(look), section=CLOSING)


def closing(look: Look) -> Advised | None:
    """Nothing is left to do."""
    if look.recovery.phase != "resolved":
        return None
    return Advised("close", "all_done", acts(look, "close"), section=CLOSING)


RULES: Final[tuple[Rule, ...]] = (
    danger,
    poor_treatment,
    first_words,
    on_the_spot,
    listening,
    obstacles,
    no_remedy,
    broken_promise,
    compassion,
    compensation,
    undelivered,
    update,
    delivery,
    last_words,
    resolution,
    asking,
    inviting,
    cause,
    unfinished,
    closing,
)
"""In this order the first that has something to say decides."""
