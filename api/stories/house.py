"""The house of the demo: its people, what it goes by, what it may spend, and how it looks after its own."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from api.house import reference as known_by
from api.stories.telling import MANAGER, SECOND_AGENT, SECOND_MECHANIC, Tale, colleague, eur, named
from domain.budgets.commands import OpenBudget
from domain.colleagues.asking import AnswerHelp, AskForHelp, HelpId
from domain.colleagues.post import Join
from domain.colleagues.training import CompleteTraining
from domain.kinds import Actor
from domain.publishing import PublishStandard, ReviewRule, reference
from domain.standards.authority import Authority, OnTimeout, PerCustomer, Rule
from domain.standards.calendar import WEEK, Calendar, Interval
from domain.standards.document import SHIPPED, Body
from domain.standards.playbook import Playbook
from domain.standards.rule import HouseRule
from domain.standards.targets import TARGETS, Targets
from domain.vocabulary import RoleClass

ZONE: Final = "Europe/Athens"
COURIER_RULE: Final = "courier.reschedule-before-first-attempt"
EXCHANGE_RULE: Final = "exchange.receipt-within-14-days"
GOODWILL: Final = "goodwill"
"""The training after which somebody may give more."""
BRAKES: Final = "electric-brakes"

TEAMS: Final[dict[str, tuple[tuple[str, RoleClass, int], ...]]] = {
    "care": (("representative", "front", 5),),
    "shop": (("sales", "front", 5), ("stock_clerk", "back", 1)),
    "kitchen": (("waiter", "front", 5), ("barista", "front", 3)),
    "workshop": (("mechanic", "back", 5), ("technician", "back", 1)),
    "delivery": (("courier", "partner", 5),),
    "office": (
        ("accountant", "back", 2),
        ("secretary", "back", 1),
        ("cleaner", "back", 1),
        ("manager", "manager", 1),
    ),
}
"""Who works in which team: role, role class, and how many. Five and more, so that reports may speak of a team."""
DESKS: Final = {"web": "care", "cafe": "kitchen"}
"""Which team sees to what goes wrong at a touchpoint that is not a team's own."""


def team_of(touchpoint: str) -> str:
    """The team that sees to what goes wrong there."""
    return DESKS.get(touchpoint, touchpoint)


def alike(one: Actor) -> list[Actor]:
    """Everybody here who has this colleague's role."""
    return [who for _, who in _staff() if who.role == one.role]


def _staff() -> Iterator[tuple[str, Actor]]:
    """Everybody here, with his team."""
    for team, roles in TEAMS.items():
        for role, role_class, many in roles:
            yield from ((team, colleague(role, role_class, n)) for n in range(1, many + 1))


def _open_from(start: str, end: str) -> tuple[Interval, ...]:
    return ((start, end),)


CALENDAR: Final = Calendar(
    zone=ZONE, hours={**dict.fromkeys(WEEK, _open_from("08:00", "22:00")), "sun": _open_from("10:00", "16:00")}
)
PROMISES: Final = Targets(
    allowances={**TARGETS.body.allowances, "acknowledge": ("240 bm", "120 bm", "60 bm", "30 bm", "15 min")},
    calendar="house",
)
_PEOPLE: Final[dict[str, Any]] = {"role_classes": frozenset(("front", "back", "partner"))}
_A_QUARTER: Final = timedelta(days=90)
AUTHORITY: Final = Authority(
    rules=(
        Rule(
            rule_id="everybody",
            **_PEOPLE,
            per_grant=eur("20.00"),
            per_customer=PerCustomer(limit=eur("100.00"), period=_A_QUARTER),
            no_proof_limit=eur("50.00"),
        ),
        Rule(
            rule_id="trained",
            **_PEOPLE,
            requires_training=frozenset((GOODWILL,)),
            per_grant=eur("100.00"),
            per_customer=PerCustomer(limit=eur("200.00"), period=_A_QUARTER),
            per_colleague_day=eur("200.00"),
            no_proof_limit=eur("100.00"),
        ),
        Rule(
            rule_id="ask-a-manager",
            **_PEOPLE,
            per_grant=eur("500.00"),
            approval="manager",
            max_wait=timedelta(days=2),
            on_timeout=OnTimeout(grant_up_to=eur("20.00")),
        ),
        Rule(
            rule_id="manager",
            role_classes=frozenset(("manager",)),
            per_grant=eur("500.00"),
            no_proof_limit=eur("500.00"),
        ),
        Rule(
            rule_id="service",
            role_classes=frozenset(("system",)),
            per_grant=eur("50.00"),
            per_customer=PerCustomer(limit=eur("100.00"), period=_A_QUARTER),
            no_proof_limit=eur("50.00"),
        ),
    )
)
COURIER: Final = HouseRule(
    title="A parcel may be sent elsewhere only after a first attempt has failed.",
    owner="delivery",
    hardness="system",
    system="carrier-portal",
    forces_failure_first=True,
)
EXCHANGE: Final = HouseRule(title="Exchanges with a receipt, within fourteen days.", owner="shop")
AT_THE_TABLE: Final = Playbook.model_validate(
    {
        "match": {"what": "badly_done", "touchpoint": "kitchen"},
        "steps": ["Say sorry and take the plate away.", "Cook it again, before anything else."],
        "remedies": [{"kind": "reperform"}, {"kind": "refund"}],
        "offers": [
            {
                "offer_id": "free-starter",
                "kind": "free_item",
                "value": {"amount": "9.00", "currency": "EUR"},
                "cost": {"amount": "2.50", "currency": "EUR"},
            }
        ],
        "closing_do": ["Say sorry once more, and invite them to a starter next time."],
        "closing_dont": ["Do not say how full the house is tonight."],
    }
)


def opening(first_day: datetime, now: datetime, customers: int) -> Tale:
    """The house on its first morning: its standards, its people and its budgets."""
    tale = Tale(None, day=0, at="00:00")
    _publish(tale, "0m", "house", CALENDAR)
    # A minute later: promises in business time need a calendar that holds already.
    _publish(tale, "1m", SHIPPED, PROMISES)
    _publish(tale, "1m", SHIPPED, AUTHORITY)
    _publish(tale, "1m", COURIER_RULE, COURIER)
    _publish(tale, "1m", EXCHANGE_RULE, EXCHANGE)
    _publish(tale, "1m", "cook-it-again", AT_THE_TABLE)
    for team, who in _staff():
        leader = None if who == MANAGER else str(MANAGER.colleague_id)
        join = Join(role=who.role, role_class=who.role_class, team=team, manager=leader)
        tale.then("1m", MANAGER, join, on=who.colleague_id)
    tale.then("2m", MANAGER, CompleteTraining(topic=GOODWILL, format="workshop"), on=SECOND_AGENT.colleague_id)
    for budget in _budgets(first_day, now, customers):
        tale.then("2m", MANAGER, budget, on=known_by(*budget.reference))
    return tale


def _publish(tale: Tale, after: str, name: str, body: Body) -> None:
    standard = PublishStandard.model_validate({"kind": body.KIND, "name": name, "body": body})
    tale.then(after, MANAGER, standard, on=known_by(*reference(body.KIND, name)))


def _budgets(first_day: datetime, now: datetime, customers: int) -> list[OpenBudget]:
    """For each year that the story touches: one that has enough left for everybody, and a small one."""
    limits = {"main": eur(f"{4_000 + 15 * customers}.00"), "kitchen": eur("50.00")}
    years = range(first_day.year, now.year + 1)
    return [
        OpenBudget(cost_centre=centre, period=f"{year}", limit=limit)
        for year in years
        for centre, limit in limits.items()
    ]


def _of(who: Actor) -> UUID:
    if who.colleague_id is None:
        raise ValueError(f"{who.ref} is no colleague")
    return who.colleague_id


def brakes() -> Tale:
    """A mechanic asks to be taught what he was never taught, and is."""
    asked = HelpId(named("help with brakes"))
    who, tale = _of(SECOND_MECHANIC), Tale(None, day=9, at="16:20")
    ask = AskForHelp(help_id=asked, kind="training", topic=BRAKES, **{"class": "product"})
    tale.then("0m", SECOND_MECHANIC, ask, on=who)
    plan = AnswerHelp(help_id=asked, plan="A day at the maker's, on Thursday; the others follow.")
    tale.then("1d", MANAGER, plan, on=who)
    return tale.then("6d", MANAGER, CompleteTraining(topic=BRAKES, format="course"), on=who)


def other_hours() -> Tale:
    """Somebody asks for other hours, and hears nothing: after a week that goes to whoever leads him."""
    who = colleague("courier", "partner", 3)
    ask = AskForHelp(kind="schedule", topic="saturday-rounds", **{"class": "organisation"})
    return Tale(None, day=17, at="18:05").then("0m", who, ask, on=_of(who))


def rule_reviewed() -> Tale:
    """The owner of the courier's rule has to say what becomes of it."""
    review = ReviewRule(name=COURIER_RULE, decision="soften", reason="It makes us fail before we may help.")
    on = known_by(*reference("rule", COURIER_RULE))
    return Tale(None, day=26, at="10:00").then("0m", MANAGER, review, on=on)


TALES: Final = (brakes, other_hours, rule_reviewed)
