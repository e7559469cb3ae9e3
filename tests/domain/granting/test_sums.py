"""Whatever is asked, granted, delivered and taken back in whatever order: the budget and the customer agree."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from domain.budgets.budget import Budget
from domain.budgets.drawing import expired
from domain.budgets.events import BudgetClosed
from domain.errors import Refused
from domain.kinds import AMENDS, Elsewhere
from domain.moves.approval import DecideCompensation
from domain.moves.compensation import DeliverCompensation, GrantCompensation, ReverseCompensation
from domain.moves.outcome import Close, Reopen
from domain.moves.remedy import TurnDownOffer
from domain.recovery import Recovery
from domain.relationship import RelationshipCommand
from tests.support.clockwork import Clockwork
from tests.support.given import Story, colleague
from tests.support.houses import ruled_by
from tests.support.recoveries import PLUMS, eur, minute, of, reported, usd
from tests.support.soak import examples

ANNA = colleague("anna", "barista")
MANAGER = colleague("petros", "manager", "manager")
LIMIT: Final = 20_000
RATE = {"rate_num": 905, "rate_den": 1000, "source": "ecb", "at": minute(0)}
RULES = [
    rule
    for currency in ("EUR", "USD")
    for rule in (
        {
            "rule_id": f"alone-{currency.lower()}",
            "role_classes": ["front"],
            "per_grant": {"amount": "50.00", "currency": currency},
        },
        {
            "rule_id": f"asked-{currency.lower()}",
            "role_classes": ["front"],
            "per_grant": {"amount": "500.00", "currency": currency},
            "approval": "manager",
            "max_wait": "PT15M",
            "on_timeout": {"grant_up_to": {"amount": "25.00", "currency": currency}},
        },
    )
]
HOUSE = ruled_by(*RULES)


@dataclass(frozen=True)
class Act:
    """Something done `wait` minutes later, and told `late` minutes after it happened."""

    what: str
    minor: int
    which: int
    wait: int
    late: int
    lasts: int | None
    dollars: bool
    delivered: bool


@dataclass
class Till:
    """One recovery and one budget, which are swept as the ledger sweeps them."""

    story: Story = field(default_factory=lambda: reported().with_budget(eur(LIMIT)))
    now: float = 0

    def __post_init__(self) -> None:
        self.story.house = HOUSE
        self.clock = Clockwork(story=self.story)

    @property
    def budget(self) -> Budget:
        [found] = [one for one in self.story.others.values() if isinstance(one, Budget)]
        return found

    @property
    def recovery(self) -> Recovery:
        return of(self.story)

    def does(self, act: Act) -> None:
        """Time passes, then the act is told: the customer is settled until it happened, the budget until now."""
        self.now += act.wait
        self._lapse()
        happened = max(self.now - act.late, 0)
        self.clock.now = max(self.now, self.clock.now)
        self.clock.sweep(happened)
        if act.what == "close the budget":
            self._elsewhere(BudgetClosed())
        elif (command := COMMANDS[act.what](self.recovery, act, happened)) is not None:
            self._tell(command, happened)
        self._lapse()

    def _tell(self, command: RelationshipCommand, happened: float) -> None:
        who = MANAGER if isinstance(command, DecideCompensation) else ANNA
        before = self.story.state, self.budget
        try:
            self.story.when(command, at=happened, recorded_at=self.now, actor=who)
        except Refused:
            assert (self.story.state, self.budget) == before

    def _lapse(self) -> None:
        for at, event in expired(self.budget, minute(self.now)):
            self._elsewhere(event, at)

    def _elsewhere(self, event: Any, at: datetime | None = None) -> None:
        moment = at or minute(self.now)
        self.story._record_elsewhere(Elsewhere(self.budget, event), moment, AMENDS, minute(self.now))

    def set_aside(self) -> int:
        """What the customer was promised and may still get, and what is held back until somebody decides."""
        promised = [
            one.drawn
            for one in self.recovery.compensations.values()
            if one.budget and one.status == "granted" and self._good(one.expires_at)
        ]
        asked = [
            one.budget_amount or one.fallback
            for one in self.recovery.requests.values()
            if one.budget and not one.timed_out and self._good(one.expires_at)
        ]
        return sum(one.minor for one in (*promised, *asked) if one is not None)

    def spent(self) -> int:
        """What the customer has in hand."""
        compensations = self.recovery.compensations.values()
        delivered = [one.drawn for one in compensations if one.budget and one.status == "delivered"]
        return sum(one.minor for one in delivered if one is not None)

    def _good(self, expires_at: datetime | None) -> bool:
        return expires_at is None or minute(self.now) < expires_at


def _give(recovery: Recovery, act: Act, happened: float) -> RelationshipCommand:
    minor = act.minor + (5000 if act.what == "ask" else 0)
    given: dict[str, Any] = {"kind": "voucher", "cost": eur(minor), "delivered": act.delivered}
    if act.dollars:
        given |= {"cost": usd(minor), "fx": RATE, "budget_currency": "EUR"}
    if act.lasts is not None:
        given["expires_at"] = minute(happened + act.lasts)
    return GrantCompensation.model_validate(given | {"recovery_id": PLUMS})


def _decide(recovery: Recovery, act: Act, happened: float) -> RelationshipCommand | None:
    if not recovery.requests:
        return None
    compensation_id, request = sorted(recovery.requests.items())[act.which % len(recovery.requests)]
    amount = None
    if act.what == "say yes to less" and request.amount is not None:
        amount = request.amount.model_copy(update={"minor": act.minor})
    approve = act.what != "say no"
    return DecideCompensation(
        recovery_id=PLUMS, approve=approve, compensation_id=compensation_id, amount=amount, reason="so it is"
    )


def _one_of(make: Callable[[Any], RelationshipCommand]) -> Callable[..., RelationshipCommand | None]:
    def command(recovery: Recovery, act: Act, happened: float) -> RelationshipCommand | None:
        # The last ones first, and seldom what was ended before: that is refused.
        every = [one for one, given in recovery.compensations.items() if given.status != "reversed"]
        given = every[::-1]
        return make(given[act.which % len(given)]) if given else None

    return command


COMMANDS: dict[str, Callable[..., RelationshipCommand | None]] = {
    "ask": _give,
    "give": _give,
    "say yes": _decide,
    "say yes to less": _decide,
    "say no": _decide,
    "deliver": _one_of(lambda one: DeliverCompensation(recovery_id=PLUMS, compensation_id=one)),
    "reverse": _one_of(
        lambda one: ReverseCompensation(recovery_id=PLUMS, compensation_id=one, reason="given twice")
    ),
    "turn down": _one_of(lambda one: TurnDownOffer(recovery_id=PLUMS, compensation_id=one)),
    "close": lambda *_: Close(recovery_id=PLUMS, outcome="withdrawn"),
    "reopen": lambda *_: Reopen(recovery_id=PLUMS, cause="recurrence"),
    "wait": lambda *_: None,
}
OFTEN = ["give", "give", "ask", "ask", "ask", "say yes", "deliver", "deliver", "reverse", "reverse"]
ACTS = st.builds(
    Act,
    what=st.sampled_from([*OFTEN * 3, *sorted(COMMANDS), "close the budget"]),
    minor=st.sampled_from([1, 900, 2500, 4000, 5000]),
    which=st.sampled_from([0, 0, 1, 2]),
    wait=st.sampled_from([0, 1, 5, 16]),
    late=st.sampled_from([0, 1, 10, 30]),
    lasts=st.sampled_from([None, 5, 20, 60]),
    dollars=st.booleans(),
    delivered=st.booleans(),
)


@examples(200, many=5_000)
@given(acts=st.lists(ACTS, min_size=10, max_size=40))
def test_b_1_the_budget_holds_and_has_paid_exactly_what_the_customer_was_promised_and_has(acts: list[Act]) -> None:
    till = Till()
    for act in acts:
        till.does(act)
        assert till.budget.reserved + till.budget.committed <= LIMIT
        assert (till.budget.reserved, till.budget.committed) == (till.set_aside(), till.spent())
