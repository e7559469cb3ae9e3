"""Problems: every way in which we say no, as one table, and the RFC 9457 document that carries it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson
from starlette.responses import Response

from api.places import UNKNOWN, Errors, of_themselves, steps_to
from domain.errors import AmendsError, FutureEvent, InvalidValue

MEDIA_TYPE: Final = "application/problem+json"
MOST_ERRORS: Final = 50
LONGEST_DETAIL: Final = 300
LONGEST_STEP: Final = 200
"""Characters of one step of a pointer: names in a body are as long as whoever sent it likes."""


class Kind(NamedTuple):
    """The status and the title that a slug stands for."""

    status: int
    title: str


PROBLEMS: Final[Mapping[str, Kind]] = {
    "address_refused": Kind(422, "No webhook goes there"),
    "already_delivered": Kind(409, "It was delivered already"),
    "already_ended": Kind(409, "It has ended and can no longer change"),
    "already_exists": Kind(409, "It exists already"),
    "ambiguous_recovery": Kind(409, "Several open recoveries match"),
    "batch_too_large": Kind(413, "Too many events in one batch"),
    "body_too_large": Kind(413, "The body is too large"),
    "budget_exhausted": Kind(409, "The budget has less left"),
    "busy": Kind(503, "Too much is waiting"),
    "customer_limit": Kind(403, "This customer has had as much as one may have"),
    "currency_mismatch": Kind(422, "Amounts in different currencies"),
    "cursor_invalid": Kind(400, "The cursor or limit is no position"),
    "encoding_unsupported": Kind(415, "Encoded bodies are not taken"),
    "erased": Kind(410, "This customer was forgotten"),
    "event_invalid": Kind(400, "This is no CloudEvent"),
    "fault": Kind(500, "We have a fault"),
    "follow_up_missing": Kind(409, "Nobody has heard the customer yet"),
    "future_event": Kind(422, "It has not happened yet"),
    "hard_rule": Kind(403, "Law or safety stands behind this rule"),
    "header_invalid": Kind(400, "A header cannot be read"),
    "individual_needs_context": Kind(422, "An individual cause needs context"),
    "invalid_value": Kind(422, "A value cannot be meant"),
    "json_invalid": Kind(400, "The body is not strict JSON"),
    "key_reused": Kind(422, "The key was used with other content"),
    "media_type_unsupported": Kind(415, "The content type is not taken here"),
    "missing_scope": Kind(403, "The key lacks a scope"),
    "newer_program_needed": Kind(503, "A newer version must take this"),
    "no_alternative": Kind(422, "A refusal needs an alternative"),
    "not_named": Kind(403, "Only he himself may answer this"),
    "not_approved": Kind(409, "Nobody has approved this wording yet"),
    "not_postable": Kind(422, "This fact is not posted as an event"),
    "nothing_done": Kind(409, "Nothing has been put right yet"),
    "over_limit": Kind(403, "More than this role may give"),
    "own_case": Kind(403, "Somebody else must do this"),
    "own_grant": Kind(403, "Nobody grants to himself"),
    "own_lesson": Kind(403, "Somebody else must approve it"),
    "projection_behind": Kind(503, "The read model has not come that far"),
    "quiet_hours": Kind(409, "The customer wants quiet at this hour"),
    "source_not_owned": Kind(403, "The source belongs to somebody else"),
    "stale_version": Kind(412, "Somebody was faster"),
    "step_missing": Kind(409, "A step is missing"),
    "system_rule": Kind(409, "A program enforces this rule"),
    "too_old": Kind(422, "It happened too long ago"),
    "unauthorised": Kind(401, "A key is needed"),
    "unavailable": Kind(503, "The ledger cannot be reached"),
    "unknown_ref": Kind(404, "There is no such thing"),
    "unknown_type": Kind(422, "This type of event is unknown"),
    "validation_failed": Kind(422, "Something in the request is not as it must be"),
    "webhook_limit": Kind(409, "There are as many webhooks as there may be"),
    "within_authority": Kind(403, "What was given within the authority stands"),
    "wrong_phase": Kind(409, "The recovery is in another phase"),
}
"""Every slug. A slug is public: never reused, never given another meaning. Each has a page in docs/problems."""

RETRY_AFTER: Final[Mapping[str, int]] = {"busy": 1, "projection_behind": 1, "unavailable": 2}
"""Seconds after which asking again makes sense, where the problem itself does not say."""


class ProblemError(Exception):
    """A problem of the outside itself: credentials, headers, bodies."""

    def __init__(
        self, slug: str, detail: str = "", *, headers: Mapping[str, str] | None = None, **facts: Any
    ) -> None:
        super().__init__(detail or PROBLEMS[slug].title)
        self.slug = slug
        self.detail = detail
        self.headers = dict(headers or {})
        self.facts = facts


def validation_failed(pointer: str, detail: str, code: str, where: str = "body") -> ProblemError:
    """The 422 that names one place of the request."""
    return refused([{"pointer": pointer, "in": where, "detail": detail, "code": code}])


def invalid(
    errors: Errors, prefix: Sequence[str | int] = (), where: str = "body", said: Any = UNKNOWN
) -> ProblemError:
    """The 422 that names what pydantic found, the first fifty, and says how many more there are.

    `said` is what it was found in, where that is known: then every pointer leads into it.
    """
    errors = of_themselves(errors)
    return refused(validation_errors(errors[:MOST_ERRORS], prefix, where, said), len(errors) - MOST_ERRORS)


def refused(places: Sequence[Mapping[str, str]], omitted: int = 0) -> ProblemError:
    """The 422 that names these places; the first of them stands in the detail too."""
    first = places[0]
    detail = ": ".join(part for part in (first["pointer"], first["detail"]) if part)
    return ProblemError(
        "validation_failed", detail, errors=places, errors_omitted=omitted if omitted > 0 else None
    )


def validation_errors(
    errors: Errors, prefix: Sequence[str | int] = (), where: str = "body", said: Any = UNKNOWN
) -> list[dict[str, str]]:
    """Pydantic's errors as `{pointer, in, detail, code}`; the offending values stay out, they may be personal."""
    return [
        {
            "pointer": pointer((*prefix, *steps_to(error, said))),
            "in": where,
            "detail": shortened(str(error["msg"]).removeprefix("Value error, ")),
            "code": str(error["type"]),
        }
        for error in errors
    ]


def shortened(detail: str) -> str:
    """The words about one place, cut where they go on too long: some hold a part of what was sent."""
    return detail if len(detail) <= LONGEST_DETAIL else detail[:LONGEST_DETAIL] + "..."


def pointer(steps: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) that takes these steps; long ones are cut, so that no body is sent back."""
    return "".join("/" + str(step)[:LONGEST_STEP].replace("~", "~0").replace("/", "~1") for step in steps)


def placed(refusal: BaseException, at: Sequence[str] = (), where: str = "body") -> BaseException:
    """The refusal, with the place of the value where it is about one: `at` leads to what the rule looked at."""
    if not isinstance(refusal, InvalidValue | FutureEvent):
        return refusal
    # Of an event that is an attribute, not in its data; the members say enough.
    if refusal.field == "occurred_at":
        return refusal
    place = {
        "pointer": pointer((*at, *refusal.field.split("."))),
        "in": where,
        "detail": refusal.reason,
        "code": refusal.code,
    }
    return ProblemError(refusal.code, str(refusal), **refusal.facts(), errors=[place])


def document(slug: str, detail: str, facts: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """The problem document of this slug, without nulls."""
    kind = PROBLEMS[slug]
    made: dict[str, Any] = {
        "type": f"{base_url}/problems/{slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail or kind.title,
    }
    # No fact may stand in for a member of the standard.
    told = {name: value for name, value in facts.items() if value is not None and name not in made}
    return made | told


def of_refusal(error: AmendsError, base_url: str) -> dict[str, Any]:
    """The problem document of a rule's refusal, with its facts as members."""
    return document(error.code, str(error), error.facts(), base_url)


def response(problem: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """The document as a response."""
    status = int(problem["status"])
    more = dict(headers or {})
    seconds = problem.get("retry_after_seconds", RETRY_AFTER.get(str(problem["type"]).rpartition("/")[2]))
    if seconds is not None:
        more.setdefault("Retry-After", str(seconds))
    return Response(orjson.dumps(problem), status_code=status, media_type=MEDIA_TYPE, headers=more)


def blank(status: int, detail: str) -> dict[str, Any]:
    """A problem that says no more than its status does (RFC 9457 section 4.2.1)."""
    return {"type": "about:blank", "title": detail, "status": status}
