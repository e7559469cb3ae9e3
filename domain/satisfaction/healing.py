"""What heals: words, deeds and gifts to the customer, and what it took to get them."""

from domain.clocks import DeadlineSet
from domain.granting.events import CompensationApproved, CompensationDelivered, CompensationGranted
from domain.kinds import Event, Fact
from domain.moves.apology import ApologyMade
from domain.moves.compensation import CompensationReversed
from domain.moves.contact import CustomerContactedAgain, InformationRequested
from domain.moves.handling import RecoveryHandedOff
from domain.moves.obstacle import ObstacleEncountered
from domain.moves.remedy import RemedyDelivered, RemedyPromised, RemedyStarted
from domain.satisfaction.justice import ASKED, EFFORTS_COUNTED, apology_points, compensation_points
from domain.satisfaction.rules import changing, healing
from domain.satisfaction.score import RecoveryScore
from domain.satisfaction.terms import DAY_MICROS, micros


@healing(DeadlineSet)
def _promised_time(recovery: RecoveryScore, event: DeadlineSet, fact: Fact) -> RecoveryScore:
    # The first promise counts: what we allow ourselves later is not what the customer was led to expect.
    if event.step == "acknowledge" and recovery.acknowledge_by is None:
        return recovery.but(acknowledge_by=micros(event.due_at))
    if event.step == "first_action" and recovery.allowance is None:
        return recovery.but(allowance=max(0, micros(event.due_at) - recovery.opened_at))
    return recovery


@healing(ApologyMade)
def _apology(recovery: RecoveryScore, event: ApologyMade, fact: Fact) -> RecoveryScore:
    if event.said == "none":
        return recovery
    points = apology_points(event, prompt=_prompt(recovery, micros(fact.occurred_at)))
    stages = recovery.stages if event.stage in recovery.stages else (*recovery.stages, event.stage)
    return recovery.but(apology=max(points, recovery.apology), stages=stages)


def _prompt(recovery: RecoveryScore, at: int) -> bool:
    if recovery.acknowledge_by is not None:
        return at <= recovery.acknowledge_by
    return at // DAY_MICROS <= recovery.opened_at // DAY_MICROS


@changing(RemedyPromised)
def _remedy_promised(recovery: RecoveryScore, event: RemedyPromised, fact: Fact) -> RecoveryScore:
    return recovery.but(promised={**recovery.promised, event.remedy_id: event.repaid_by})


@healing(RemedyStarted)
def _acted(recovery: RecoveryScore, event: Event, fact: Fact) -> RecoveryScore:
    took = max(0, micros(fact.occurred_at) - recovery.opened_at)
    if recovery.acted_after is not None and recovery.acted_after <= took:
        return recovery
    return recovery.but(acted_after=took)


@healing(RemedyDelivered)
def _remedy_delivered(recovery: RecoveryScore, event: RemedyDelivered, fact: Fact) -> RecoveryScore:
    acted = _acted(recovery, event, fact)
    if event.resolves == "none":
        return acted
    delivery = (recovery.promised.get(event.remedy_id, "unknown"), event.resolves == "full")
    return acted if delivery in acted.repaid else acted.but(repaid=(*acted.repaid, delivery))


@changing(CompensationGranted)
def _compensation_granted(recovery: RecoveryScore, event: CompensationGranted, fact: Fact) -> RecoveryScore:
    return recovery.but(granted={**recovery.granted, event.compensation_id: event.pct_of_loss})


@healing(CompensationDelivered)
def _compensation_delivered(recovery: RecoveryScore, event: CompensationDelivered, fact: Fact) -> RecoveryScore:
    points = compensation_points(recovery.granted.get(event.compensation_id), late=event.late)
    return _acted(recovery, event, fact).but(paid={**recovery.paid, event.compensation_id: points})


@healing(CompensationReversed)
def _compensation_reversed(recovery: RecoveryScore, event: CompensationReversed, fact: Fact) -> RecoveryScore:
    if event.compensation_id not in recovery.paid:
        return recovery
    return recovery.but(
        paid={one: points for one, points in recovery.paid.items() if one != event.compensation_id}
    )


@healing(CompensationApproved)
def _approved(recovery: RecoveryScore, event: CompensationApproved, fact: Fact) -> RecoveryScore:
    return recovery.but(autonomy=min(recovery.autonomy, ASKED if event.in_time else 0))


@healing(ObstacleEncountered)
def _obstacle(recovery: RecoveryScore, event: ObstacleEncountered, fact: Fact) -> RecoveryScore:
    blocked_by_rule = event.kind == "policy_block" or event.rule_id is not None
    return recovery.but(autonomy=0) if blocked_by_rule else recovery


@healing(CustomerContactedAgain, RecoveryHandedOff)
def _effort(recovery: RecoveryScore, event: Event, fact: Fact) -> RecoveryScore:
    return recovery.but(efforts=min(recovery.efforts + 1, EFFORTS_COUNTED))


@healing(InformationRequested)
def _asked(recovery: RecoveryScore, event: InformationRequested, fact: Fact) -> RecoveryScore:
    if event.already_held:
        return recovery.but(efforts=min(recovery.efforts + event.questions, EFFORTS_COUNTED))
    if recovery.promised or recovery.delivered:
        return recovery
    # Whether such questions were needless follows the severity and the fault, which may be reassessed.
    return recovery.but(questions=min(recovery.questions + event.questions, EFFORTS_COUNTED))
