"""What was sold twice, and five customers who heard of it from the house before they asked."""

from datetime import timedelta

from api.stories.telling import SALES, STOCK_CLERK, SURVEY, Tale, named
from domain.moves.apology import Apologise
from domain.moves.commitment import KeepCommitment, MakeCommitment
from domain.moves.contact import UpdateCustomer
from domain.moves.failure import ReportFailure
from domain.moves.outcome import Close, Resolve
from domain.moves.remedy import DeliverRemedy, PromiseRemedy
from domain.moves.voice import StateSatisfaction
from domain.values import CommitmentId


def told_first(customer: str, order: str) -> Tale:
    """An item is out of stock, and the house says so before the customer asks."""
    tale = Tale(customer, day=4, at="08:15")
    tale.then(
        "0m",
        STOCK_CLERK,
        ReportFailure(
            what="not_available",
            detection="colleague_noticed",
            fault="firm",
            channel="email",
            touchpoint="shop",
            order=order,
            incident_id=named("grey wool sold out"),
            similarity_key="stock:grey-wool",
            description="The grey wool was sold twice; the mill delivers again in nine days.",
        ),
    )
    tale.then("25m", SALES, UpdateCustomer(kind="proactive", two_way=True))
    tale.then("26m", SALES, Apologise(said="admits", explanation="brief", channel="email"))
    return tale


def stock_out_takes_blue() -> Tale:
    """She takes the blue wool that lies ready."""
    tale = told_first("C-1002", "A-20466")
    tale.then(
        "5h", SALES, DeliverRemedy(remedy_kind="replacement", resolves="full", how="sent", meets_desire=True)
    )
    tale.then("5h 1m", SALES, Resolve())
    tale.then("6d", SURVEY, StateSatisfaction(instrument="CSAT", value=4, solicited=True))
    return tale.then("6d 3h", SALES, Close(outcome="satisfied"))


def stock_out_waits() -> Tale:
    """He waits for the grey wool, which is promised and kept."""
    promise = CommitmentId(named("grey wool kept back"))
    tale = told_first("C-1003", "A-20471")
    tale.then(
        "3h",
        SALES,
        PromiseRemedy(remedy_kind="expedite", mode="later"),
        lambda at: MakeCommitment(
            commitment_id=promise, what="Six balls of grey wool kept back.", due_at=at + timedelta(days=9)
        ),
    )
    tale.then("3d", SALES, lambda at: UpdateCustomer(kind="progress", next_update_due=at + timedelta(days=3)))
    tale.then("5d 23h", SALES, UpdateCustomer(kind="progress", two_way=True))
    tale.then("8d 2h", SALES, KeepCommitment(commitment_id=promise))
    tale.then("8d 2h 5m", SALES, DeliverRemedy(remedy_kind="expedite", resolves="full", how="sent"), Resolve())
    tale.then("11d", SURVEY, StateSatisfaction(instrument="NPS", value=8, solicited=True))
    return tale.then("11d 2h", SALES, Close(outcome="satisfied"))


def stock_out_answered(customer: str, order: str, kind: str) -> Tale:
    """Three more of the same, each with what suits them better than waiting."""
    tale = told_first(customer, order)
    tale.then("1d", SALES, DeliverRemedy(remedy_kind=kind, resolves="full", meets_desire=True))
    return tale.then("1d 2m", SALES, Resolve())


TALES = (
    stock_out_takes_blue,
    stock_out_waits,
    lambda: stock_out_answered("C-1039", "A-20472", "refund"),
    lambda: stock_out_answered("C-1040", "A-20479", "replacement"),
    lambda: stock_out_answered("C-1041", "A-20480", "refund"),
)
