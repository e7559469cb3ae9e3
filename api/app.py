"""The application: every router, the limits at the door, and one way to say no."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api import openapi
from api.allowing import allowed
from api.auth import KeyCheck
from api.container import Container
from api.deadline import Deadline
from api.describing import Description
from api.edge import Edge
from api.head import Head
from api.http_metrics import HttpMetrics
from api.limits import BodyLimit
from api.looking import Looks
from api.parameters import known_parameters
from api.plain_reads import add_plain_reads
from api.postings import Postings, add_postings, described_postings, find_posting
from api.refusals import add_handlers
from api.routers import (
    advice,
    authority,
    budgets,
    colleagues,
    customers,
    documents,
    events,
    feed,
    feedback,
    health,
    lessons,
    metrics,
    recoveries,
    reports,
    standards,
    webhooks,
    wording,
)
from api.standing import Standings


class Service(FastAPI):
    """The routes, and past FastAPI's own layers the addresses that are posted to, which it need not look for."""

    postings: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if find_posting(scope):
            scope["app"] = self
            await self.postings(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(container: Container) -> Service:
    """The HTTP application of this process. Starting and stopping the container is the caller's affair."""
    base_url = container.settings.address
    app = _assembled(base_url, container.settings.max_batch)
    app.state.container = container
    app.state.keys = KeyCheck(container.api_keys)
    app.state.standings = Standings(container)
    app.state.looks = Looks()
    app.state.description = Description(app.openapi)
    add_handlers(app, base_url, allowed)
    app.add_middleware(Head)
    app.postings = Postings(base_url)
    for layer, settings in _door(container):
        # Around the routes and around what is posted alike. The last one added is the outermost.
        app.add_middleware(layer, **settings)
        app.postings = layer(app.postings, **settings)
    return app


def _door(container: Container) -> list[tuple[Callable[..., ASGIApp], dict[str, Any]]]:
    """What every request passes, from the inside to the outside."""
    settings = container.settings
    base_url = settings.address
    return [
        (BodyLimit, {"limit": settings.body_limit, "base_url": base_url}),
        (Deadline, {"seconds": settings.database_patience_seconds, "base_url": base_url}),
        (Edge, {"base_url": base_url, "metrics": HttpMetrics(container.metrics.registry)}),
    ]


def document(base_url: str = "http://127.0.0.1:8080", max_batch: int = 500) -> dict[str, Any]:
    """The OpenAPI document, without a running service."""
    made: dict[str, Any] = _assembled(base_url, max_batch).openapi()
    return made


def _assembled(base_url: str, max_batch: int) -> Service:
    app = Service(
        title="Amends",
        version=version("amends"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=openapi.operation_id,
        redirect_slashes=False,
        # Our own figures and lines say what may be said of a request; FastAPI would look for listeners at each.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    add_postings(app)
    add_plain_reads(app)
    for one in (
        events,
        customers,
        recoveries,
        feed,
        reports,
        advice,
        wording,
        standards,
        authority,
        budgets,
        colleagues,
        feedback,
        lessons,
        webhooks,
    ):
        app.include_router(one.router, dependencies=[Depends(known_parameters)])
    for one in (health, metrics, documents):
        app.include_router(one.router)
    app.openapi = _described(app, base_url, max_batch)  # type: ignore[method-assign]  # FastAPI's documented way to replace it
    return app


def _described(app: FastAPI, base_url: str, max_batch: int) -> Callable[[], dict[str, Any]]:
    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            routes = [*app.routes, *described_postings()]
            app.openapi_schema = openapi.document_of(
                app.version, routes, base_url, max_batch, webhooks.sent.routes
            )
        return app.openapi_schema

    return described
