"""Receipts: that a colleague read or acknowledged what the house is told, said by whoever speaks for him."""

from uuid import UUID

from fastapi import Request, Response

from api.auth import Credential
from api.deps import services_of
from api.envelope import CommandEnvelope, enveloped, parsed
from api.problems import validation_failed
from api.routers.commands import read_body
from api.strict_json import decode_object
from api.writes import committed, order_of, posting_of, recorded
from domain.lessons.receipts import ReceiptCommand


async def receive(request: Request, kind: type[ReceiptCommand], lesson_id: UUID, caller: Credential) -> Response:
    """Records the receipt in this request's body: 201, or 200 where it was recorded before.

    Raises `validation_failed` where nobody is named: what a program fetches is not read by anybody yet.
    """
    content = await read_body(request)
    services = services_of(request)
    received = decode_object(content, may_be_empty=True)
    envelope, body = enveloped(received, CommandEnvelope)
    if envelope.by is None or envelope.by.colleague_id is None:
        raise validation_failed("/by/colleague_id", "say which colleague has read it", "missing")
    if body.get("lesson_id", str(lesson_id)) != str(lesson_id):
        raise validation_failed("/lesson_id", "another lesson than the address names", "other_lesson")
    reader = services.keyring.pseudonym("colleague", envelope.by.colleague_id)
    command = parsed(kind, {**body, "lesson_id": str(lesson_id)})
    whole = {"on": request.url.path, "body": received}
    posting = posting_of(request, content, caller, envelope, command, reader, whole)
    outcome = await committed(services, order_of(services, caller, posting))
    return recorded(outcome, 201 if outcome.receipts else 200, stream="colleague_id")
