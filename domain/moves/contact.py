"""Contact: news for the customer, questions to him, and the times he had to come back to us."""

from typing import Annotated, Literal

from pydantic import Field

from domain.clocks import promised_update
from domain.kinds import Context, Event, Fact
from domain.recovery import Recovery
from domain.relationship import RecoveryCommand, RecoveryEvent, Relationship
from domain.values import MAX_INT, Channel, Code, Moment, Personal, RecoveryId, Words

UpdateKind = Literal["progress", "proactive", "delay", "result"]
Questions = Annotated[int, Field(ge=1, le=MAX_INT, strict=True)]


class CustomerUpdated(RecoveryEvent, topic="customer.updated"):
    """The customer heard from us where things stand."""

    kind: UpdateKind
    two_way: bool = False
    """Whether he could answer."""
    human: bool = True
    next_update_due: Moment | None = None
    note: Personal[Words] | None = None
    """What he was told."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        contacted = recovery.contacted(fact)
        if self.human:
            contacted = contacted.without_clocks("update")
        return contacted.acknowledged(fact) if self._tells_first(recovery) else contacted

    def _tells_first(self, recovery: Recovery) -> bool:
        # Where we noticed before the customer did, the first clock is to tell him; a machine may.
        return recovery.detection != "customer_reported" and self.kind == "proactive" and self.two_way


class UpdateCustomer(RecoveryCommand, path="update-customer", facts=(CustomerUpdated,)):
    """Tell the customer where things stand, and when he hears again. An automatic message says `human: false`."""

    kind: UpdateKind
    two_way: bool = False
    human: bool = True
    next_update_due: Moment | None = None
    note: Personal[Words] | None = None

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        updated = CustomerUpdated(
            recovery_id=RecoveryId(recovery.recovery_id),
            kind=self.kind,
            two_way=self.two_way,
            human=self.human,
            next_update_due=self.next_update_due,
            note=self.note,
        )
        return [updated, *promised_update(recovery, self.next_update_due, at, "next_update_due")]


class CustomerContactedAgain(RecoveryEvent, topic="customer.contacted_again"):
    """The customer had to come back to us: effort that we cost him."""

    channel: Channel = "other"
    repeated_information: bool = False
    """Whether he had to tell again what he had told before."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.with_done("contacted_again", fact)


class ContactAgain(RecoveryCommand, path="contact-again", facts=(CustomerContactedAgain,)):
    """Record that the customer had to ask again. Thanks are no contact of this kind."""

    channel: Channel = "other"
    repeated_information: bool = False

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        return [
            CustomerContactedAgain(
                recovery_id=RecoveryId(recovery.recovery_id),
                channel=self.channel,
                repeated_information=self.repeated_information,
            )
        ]


class InformationRequested(RecoveryEvent, topic="information.requested"):
    """We asked the customer for something before going on."""

    questions: Questions = 1
    """How many."""
    purpose: Code = "other"
    already_held: bool = False
    """Whether the house had the answer somewhere."""

    def change(self, recovery: Recovery, fact: Fact) -> Recovery:
        return recovery.contacted(fact)


class RequestInformation(RecoveryCommand, path="request-information", facts=(InformationRequested,)):
    """Ask the customer for what we cannot do without."""

    questions: Questions = 1
    purpose: Code = "other"
    already_held: bool = False

    def decide(self, state: Relationship, at: Context) -> list[Event]:
        recovery = self.found(state, at)
        return [
            InformationRequested(
                recovery_id=RecoveryId(recovery.recovery_id),
                questions=self.questions,
                purpose=self.purpose,
                already_held=self.already_held,
            )
        ]
