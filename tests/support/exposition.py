"""What /metrics says, read as Prometheus reads it."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class Exposition:
    """The metrics in a text, by name."""

    def __init__(self, text: str) -> None:
        self.families: list[Metric] = list(text_string_to_metric_families(text))

    def samples(self) -> Iterator[Sample]:
        """Every sample of every metric."""
        for family in self.families:
            yield from family.samples

    def has(self, name: str) -> bool:
        """Whether there is such a metric, without the endings of counters and histograms."""
        return any(family.name == name for family in self.families)

    def value(self, name: str, **labels: str) -> float:
        """The value of the one sample with this full name and these labels."""
        found = [
            one.value for one in self.samples() if one.name == name and labels.items() <= dict(one.labels).items()
        ]
        assert len(found) == 1, (name, labels, found)
        return found[0]

    def each(self, name: str, label: str) -> dict[str, float]:
        """The values of the samples with this full name, by one of their labels; zeros left out."""
        return {one.labels[label]: one.value for one in self.samples() if one.name == name and one.value}


def told_by(registry: CollectorRegistry) -> Exposition:
    """What a registry would answer now."""
    return Exposition(generate_latest(registry).decode())
