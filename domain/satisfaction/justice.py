"""The three justices of a recovery, 0-100 each: what he got, how he was met, how it went."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from domain.moves.apology import ApologyMade
from domain.satisfaction.score import RecoveryScore

ACCESSORIES: Final = ("procedural", "interactional")
"""Failures of how, not of what: there courtesy heals more than things. Others count as core."""
_HEALING: Final = (38, 42, 20)
_HEALING_HOW: Final = (28, 52, 20)
_SATISFACTION: Final = (45, 35, 20)
_SATISFACTION_HOW: Final = (35, 45, 20)
HEALED_AT_MOST: Final = 90
"""Inference alone never claims more of a loss healed, in percent."""
KEPT_AFTER_FAILING_AGAIN: Final = 80

_SERVICE: Final = {"reperformance": 60, "money_now": 40, "money_later": 20}
MATCH: Final[Mapping[str, Mapping[str, int]]] = {
    "monetary": {"money_now": 60, "money_later": 40, "exchange": 20},
    "goods": {"exchange": 60, "money_now": 40, "money_later": 20},
    "service": _SERVICE,
    "unknown": _SERVICE,
    "attention": {"psychological": 60, "money_now": 40, "money_later": 40, "exchange": 40, "reperformance": 40},
    "information": {"information": 60, "psychological": 40},
    "time": {"expedite": 60, "money_now": 40, "psychological": 20},
}
"""How well a remedy repays in kind: resource lost -> how it was repaid -> points."""
OTHERWISE: Final = 20
_MONEY_IN_FULL: Final = {"money_now": 30, "money_later": 22}
_UNKNOWN_SHARE: Final = 20
_UNEXPECTED: Final = 40

_EMPATHY: Final = 25
_OWNERSHIP: Final = 15
_PROMPT, _NOT_PROMPT = 10, 3
_EXPLAINED: Final = 10
_OWNED: Final = {"none": 0, "regret": 1, "admits": 2, "admits_and_commits": 3}
_WORDS_AT_MOST: Final = 70
_FURTHER_STAGE: Final = 5
_RESPECT: Final = 30

_WITHOUT_CLOCK: Final = 25
_EFFORTLESS, _EFFORT = 30, 10
ASKED: Final = 10
"""What is left of autonomy when somebody else had to say yes, and did in time."""
EFFORTS_COUNTED: Final = 3
"""More effort than this takes nothing further away."""
_INFORMED: Final = 10


class Justice(NamedTuple):
    """0-100 each: distributive (what he got), interactional (how he was met), procedural (how it went)."""

    distributive: int
    interactional: int
    procedural: int


def justice(recovery: RecoveryScore) -> Justice:
    """The three scores of a recovery as it stands."""
    return Justice(_distributive(recovery), _interactional(recovery), _procedural(recovery))


def recovery_satisfaction(recovery: RecoveryScore) -> int:
    """How well this one recovery went, 0-100, uncapped. A second figure beside the relationship's score."""
    weights = _SATISFACTION_HOW if recovery.failure_kind in ACCESSORIES else _SATISFACTION
    return _weighted(justice(recovery), weights)


def healing_target(recovery: RecoveryScore) -> int:
    """How much of the loss counts as healed, in hundredths of a point."""
    if recovery.acted_after is None and not recovery.apology:
        return 0  # neither word nor deed: all three are 0
    weights = _HEALING_HOW if recovery.failure_kind in ACCESSORIES else _HEALING
    cap = min(_weighted(justice(recovery), weights), HEALED_AT_MOST)
    if recovery.deviations:
        cap = cap * KEPT_AFTER_FAILING_AGAIN // 100
    return recovery.loss * cap // 100


def apology_points(apology: ApologyMade, *, prompt: bool) -> int:
    """What an apology is worth, 0-60: empathy before ownership before speed. Words that say nothing are none."""
    if apology.said == "none":
        return 0
    empathy = 1
    if apology.feeling_named:
        empathy = 3 if apology.accepted == "accepted" else 2
    explained = apology.explanation != "none" and apology.explanation_wanted is not False
    return (
        _EMPATHY * empathy // 3
        + _OWNERSHIP * _OWNED[apology.said] // 3
        + (_PROMPT if prompt else _NOT_PROMPT)
        + (_EXPLAINED if explained else 0)
    )


def compensation_points(percent_of_loss: int | None, *, late: bool) -> int:
    """What a delivered compensation is worth, 0-40: nothing is gained beyond one and a half times the loss."""
    if percent_of_loss is None:
        points = _UNKNOWN_SHARE
    else:
        points = 30 * min(percent_of_loss, 100) // 100 + 10 * max(0, min(percent_of_loss - 100, 50)) // 50
    return points * 3 // 4 if late else points


def _weighted(scores: Justice, weights: tuple[int, int, int]) -> int:
    return (weights[0] * scores[0] + weights[1] * scores[1] + weights[2] * scores[2]) // 100


def _distributive(recovery: RecoveryScore) -> int:
    if not recovery.delivered:
        return 0
    remedy, in_full = 0, 0
    match = MATCH.get(recovery.resource, _SERVICE)
    for repaid_by, full in recovery.repaid:
        points = match.get(repaid_by, OTHERWISE)
        remedy = max(remedy, points if full else points // 2)
        if full and recovery.resource == "monetary":
            in_full = max(in_full, _MONEY_IN_FULL.get(repaid_by, 0))
    making_good = max(in_full, *recovery.paid.values(), 0)
    if not recovery.expects_compensation:
        making_good = max(making_good, _UNEXPECTED)
    return min(100, remedy + making_good)


def _interactional(recovery: RecoveryScore) -> int:
    if not (recovery.apology or recovery.delivered):
        return 0
    words = 0
    if recovery.stages:
        words = min(_WORDS_AT_MOST, recovery.apology + _FURTHER_STAGE * (len(recovery.stages) - 1))
    return words + (_RESPECT if recovery.respected else 0)


def _procedural(recovery: RecoveryScore) -> int:
    if recovery.acted_after is None:
        return 0
    efforts = recovery.efforts + (recovery.questions if recovery.believable else 0)
    effort = max(0, _EFFORTLESS - _EFFORT * efforts)
    informed = _INFORMED if recovery.informed else 0
    return _timeliness(recovery.acted_after, recovery.allowance) + effort + recovery.autonomy + informed


def _timeliness(took: int, allowance: int | None) -> int:
    if allowance is None:
        return _WITHOUT_CLOCK
    if took <= allowance:
        return 40
    if took <= 2 * allowance:
        return 25
    return 10 if took <= 4 * allowance else 0
