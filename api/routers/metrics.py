"""Metrics: the figures of this process for Prometheus, without a key, since they are about nobody."""

from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

from api.deps import services_of
from api.looking import looks_of
from api.problems import ProblemError

router = APIRouter(tags=["service"])
_TEXT: Final = {"schema": {"type": "string"}}


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": _TEXT, "application/openmetrics-text": _TEXT}}},
)
async def metrics(request: Request) -> Response:
    """The figures of this process in the text format of Prometheus, or in OpenMetrics where asked for.

    404 where the operator set AMENDS_METRICS=off.
    """
    services = services_of(request)
    if services.settings.metrics == "off":
        raise ProblemError("unknown_ref", "the metrics of this service are not shown here", what="page")
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    figures = await looks_of(request).take(partial(encode, services.metrics.registry))
    return Response(figures, headers={"Content-Type": content_type})
