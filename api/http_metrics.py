"""HTTP metrics: how many requests each route answered, how, and how long that took."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from api.problems import PROBLEMS

UNMATCHED: Final = "unmatched"
"""The route of a request that no route takes. Its path is the caller's words, so it is no label."""
_SECONDS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HttpMetrics:
    """The figures of the HTTP side. Labels are route templates, known methods, classes of statuses and slugs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        told = "HTTP requests answered, by route template, method and class of status (2xx, 3xx, 4xx, 5xx)."
        labels = ("route", "method", "status")
        self._requests = Counter("amends_http_requests", told, labels, registry=registry)
        told = "From the first byte of a request to the last of its answer, by route template and method."
        self._seconds = Histogram(
            "amends_http_request_seconds", told, labels[:2], registry=registry, buckets=_SECONDS
        )
        told = "Refusals told to callers, by the slug of the problem; each refused item of a batch counts."
        refusals = Counter("amends_refusals", told, ("slug",), registry=registry)
        self._refusals = {slug: refusals.labels(slug) for slug in PROBLEMS}
        # Looking a child up by its labels costs more than counting: each is kept once found.
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(
        self, route: str | None, method: str, status: int, seconds: float, problems: Mapping[str, int]
    ) -> None:
        """A request was answered."""
        key = (route or UNMATCHED, method, status // 100)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (
                self._requests.labels(key[0], method, f"{key[2]}xx"),
                self._seconds.labels(key[0], method),
            )
        requests, durations = found
        requests.inc()
        durations.observe(seconds)
        for slug, times in problems.items():
            self._refusals[slug].inc(times)
