"""HTTP metrics: how many requests each route answered, how, and how long that took."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from api.problems import PROBLEMS

UNMATCHED: Final = "unmatched"
"""The route of a request that no route takes. Its path is the caller's words, so it is no label."""
_SECONDS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BOUNDS: Final = (*map(floatToGoString, _SECONDS), "+Inf")
_REQUESTS: Final = "HTTP requests answered, by route template, method and class of status (2xx, 3xx, 4xx, 5xx)."
_DURATIONS: Final = "From the first byte of a request to the last of its answer, by route template and method."


class _Figures:
    """What was answered with one class of status to one method of one route."""

    __slots__ = ("answered", "by_duration", "seconds")

    def __init__(self) -> None:
        self.answered, self.seconds = 0, 0.0
        self.by_duration = [0] * len(_BOUNDS)
        """How many took longer than the bound before, and at most as long as this."""


class HttpMetrics(Collector):
    """The figures of the HTTP side. Labels are route templates, known methods, classes of statuses and slugs.

    Requests are counted by one thread, the loop's, in plain numbers: the library's own counters lock for each
    of three, and look through the bounds, which took as long as reading the body.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._figures: dict[tuple[str, str, int], _Figures] = {}
        told = "Refusals told to callers, by the slug of the problem; each refused item of a batch counts."
        refusals = Counter("amends_refusals", told, ("slug",), registry=registry)
        self._refusals = {slug: refusals.labels(slug) for slug in PROBLEMS}
        registry.register(self)

    def answered(
        self, route: str | None, method: str, status: int, seconds: float, problems: Mapping[str, int]
    ) -> None:
        """A request was answered."""
        key = (route or UNMATCHED, method, status // 100)
        found = self._figures.get(key)
        if found is None:
            found = self._figures[key] = _Figures()
        found.answered += 1
        found.seconds += seconds
        found.by_duration[bisect_left(_SECONDS, seconds)] += 1
        for slug, times in problems.items():
            self._refusals[slug].inc(times)

    def collect(self) -> Iterable[Metric]:
        """What there is to tell now."""
        # A copy at once: whoever asks may be in another thread.
        figures = sorted(self._figures.copy().items())
        requests = CounterMetricFamily("amends_http_requests", _REQUESTS, labels=("route", "method", "status"))
        together: dict[tuple[str, str], list[_Figures]] = {}
        for (route, method, hundreds), found in figures:
            requests.add_metric((route, method, f"{hundreds}xx"), found.answered)
            together.setdefault((route, method), []).append(found)
        yield requests
        durations = HistogramMetricFamily("amends_http_request_seconds", _DURATIONS, labels=("route", "method"))
        for labels, some in together.items():
            counted = accumulate(map(sum, zip(*(one.by_duration for one in some), strict=True)))
            durations.add_metric(
                labels, list(zip(_BOUNDS, counted, strict=True)), sum(one.seconds for one in some)
            )
        yield durations
