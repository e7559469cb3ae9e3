"""Customers who speak Greek or Polish: their words are kept as they said them."""

from datetime import timedelta

from api.stories.telling import AGENT, MANAGER, SALES, SECOND_AGENT, SHOP, SURVEY, WAITER, Tale, eur
from domain.moves.apology import Apologise
from domain.moves.cause import AttributeCause
from domain.moves.compensation import GrantCompensation
from domain.moves.contact import UpdateCustomer
from domain.moves.failure import CustomerLoss, ReportFailure
from domain.moves.follow_up import AttemptFollowUp
from domain.moves.hearing import HearConcern
from domain.moves.outcome import Close, Resolve
from domain.moves.relationship import OpenRelationship, RecordExpectation
from domain.moves.remedy import DeliverRemedy, PromiseRemedy
from domain.moves.voice import StateSatisfaction


def greek_name_day() -> Tale:
    """A cake for a name day that came a day late."""
    tale = Tale("C-1020", day=19, at="09:30")
    tale.then("0m", SHOP, OpenRelationship(locale="el-GR", timezone="Europe/Athens"))
    tale.then(
        "10m",
        AGENT,
        ReportFailure(
            what="late",
            severity=3,
            fault="firm",
            channel="phone",
            touchpoint="delivery",
            product="Τούρτα αμυγδάλου",
            description="Η τούρτα για τη γιορτή έφτασε μία μέρα αργότερα.",
            customer_words="Η γιορτή ήταν χθες. Τι να την κάνω σήμερα την τούρτα;",
            desired_outcome="Να μου επιστραφούν τα χρήματα και μια συγγνώμη.",
            customer_loss=CustomerLoss(money=eur("28.00"), contacts=1),
        ),
    )
    tale.then("12m", AGENT, Apologise(said="admits", feeling_named=True, channel="phone"))
    tale.then(
        "15m",
        AGENT,
        HearConcern(
            summary="Η τούρτα ήταν για την ονομαστική γιορτή και δεν ήρθε στην ώρα της.",
            confirmed=True,
            compassion="named_feeling",
        ),
    )
    tale.then("1h", AGENT, DeliverRemedy(remedy_kind="refund", resolves="full", meets_desire=True))
    tale.then("1h 5m", AGENT, GrantCompensation(kind="free_item", value=eur("9.50"), delivered=True))
    tale.then(
        "1h 6m", AGENT, Apologise(said="admits_and_commits", accepted="accepted", channel="phone"), Resolve()
    )
    tale.then(
        "2d",
        SURVEY,
        StateSatisfaction(
            instrument="CSAT",
            value=4,
            solicited=True,
            verbatim="Ευχαριστώ. Δεν περίμενα να με πάρετε τηλέφωνο.",
        ),
    )
    tale.then("2d 2h", MANAGER, AttributeCause(cause_class="organisation_process"))
    return tale.then("2d 3h", MANAGER, Close(outcome="satisfied"))


def greek_table() -> Tale:
    """A table that was promised by the window."""
    tale = Tale("C-1021", day=22, at="21:15")
    tale.then(
        "0m",
        WAITER,
        ReportFailure(
            what="not_available",
            fault="firm",
            channel="in_person",
            touchpoint="kitchen",
            description="Είχαν κλείσει τραπέζι στο παράθυρο και δόθηκε σε άλλους.",
            customer_words="Το τραπέζι το είχαμε κλείσει από τη Δευτέρα.",
        ),
        Apologise(said="admits", feeling_named=True, channel="in_person"),
    )
    tale.then("6m", WAITER, DeliverRemedy(remedy_kind="gesture", resolves="partial", confirmed_by="customer"))
    return tale.then("1h 20m", WAITER, Resolve())


def polish_invoice() -> Tale:
    """An invoice in the wrong name, and two tries to reach her afterwards."""
    tale = Tale("C-1022", day=20, at="11:40")
    tale.then("0m", SHOP, OpenRelationship(locale="pl-PL", timezone="Europe/Warsaw"))
    tale.then(
        "5m",
        SECOND_AGENT,
        ReportFailure(
            what="billed_wrong",
            fault="firm",
            channel="email",
            touchpoint="web",
            order="A-20533",
            description="Faktura została wystawiona na inną firmę.",
            customer_words="Proszę o poprawną fakturę jeszcze w tym miesiącu.",
            desired_outcome="Korekta faktury.",
        ),
    )
    tale.then("50m", SECOND_AGENT, Apologise(said="admits", explanation="brief", channel="email"))
    tale.then(
        "1h", SECOND_AGENT, lambda at: UpdateCustomer(kind="progress", next_update_due=at + timedelta(hours=6))
    )
    tale.then("4h", SECOND_AGENT, DeliverRemedy(remedy_kind="information", resolves="full", how="sent"), Resolve())
    tale.then("3d", SECOND_AGENT, AttemptFollowUp(outcome="no_answer", channel="email"))
    return tale.then("5d", SECOND_AGENT, Close(outcome="unreachable"))


def polish_wish() -> Tale:
    """Somebody who had said before what matters to her, and got it when it went wrong."""
    tale = Tale("C-1023", day=23, at="13:10")
    tale.then("0m", SALES, OpenRelationship(locale="pl-PL"))
    tale.then(
        "3m",
        SALES,
        RecordExpectation(topic="honesty", wish="Wolę usłyszeć prawdę od razu niż po tygodniu.", importance=5),
    )
    tale.then(
        "2d",
        SALES,
        ReportFailure(
            what="not_told",
            fault="firm",
            detection="colleague_noticed",
            channel="phone",
            touchpoint="workshop",
            description="Część do roweru przyjdzie dopiero w przyszłym tygodniu.",
        ),
        UpdateCustomer(kind="proactive", two_way=True),
        Apologise(said="admits", explanation="full", explanation_wanted=True, channel="phone"),
    )
    return tale.then(
        "2d 10m", SALES, lambda at: PromiseRemedy(remedy_kind="repair", due_at=at + timedelta(days=6))
    )


TALES = (greek_name_day, greek_table, polish_invoice, polish_wish)
