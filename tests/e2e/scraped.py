"""What Prometheus would read from a metrics port."""

from __future__ import annotations

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families


def scrape(port: int, path: str = "/metrics") -> list[Metric]:
    answer = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5)
    answer.raise_for_status()
    return list(text_string_to_metric_families(answer.text))


def total(port: int, name: str, **labels: str) -> float:
    """The sum of all samples of the name that carry at least these labels."""
    samples = (sample for family in scrape(port) for sample in family.samples)
    return sum(
        sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items()
    )
