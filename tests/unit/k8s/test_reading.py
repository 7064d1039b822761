"""Small readers: quantities, scrapes, names of workloads."""

from __future__ import annotations

from decimal import Decimal

import pytest

from k8s.api.quantities import quantity, shown
from k8s.errors import Misused
from k8s.scrape import Scrape
from k8s.workload import Workload, parse_workload


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1),
        ("500m", "0.5"),
        ("1Gi", 2**30),
        ("768Mi", 768 * 2**20),
        ("1k", 1000),
        ("1e3", 1000),
        (2, 2),
        ("0.1", "0.1"),
    ],
)
def test_a_quantity_is_an_exact_number(text: str | int, amount: str | int) -> None:
    assert quantity(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "many", "1Q", "Gi", "1i"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        quantity(text)


def test_amounts_are_shown_in_units_that_people_use() -> None:
    assert shown("memory", Decimal(3 * 2**30)) == "3072Mi"
    assert shown("cpu", Decimal("2.20")) == "2.2"
    assert shown("pods", Decimal(10)) == "10"


SCRAPE = r"""# HELP slipway_model_info 1 for the version being served.
# TYPE slipway_model_info gauge
slipway_model_info{model="iris",version="3",digest="a,b}\"\\c\n"} 1.0
slipway_model_info{model="basket",version="7",digest=""} 0.0
slipway_prediction_log_pending 12 1700000000000
slipway_odd NaN
broken{
"""


def test_a_scrape_is_read_with_labels_escapes_and_time_stamps() -> None:
    scrape = Scrape(SCRAPE)
    (iris,) = scrape.named("slipway_model_info", model="iris")
    assert (iris.value, iris.labels["digest"]) == (1.0, 'a,b}"\\c\n')
    assert scrape.total("slipway_prediction_log_pending") == 12
    assert scrape.total("slipway_absent") == 0


@pytest.mark.parametrize(
    ("text", "workload"),
    [
        ("slipway", Workload("deployment", "slipway")),
        ("Deployments/slipway", Workload("deployment", "slipway")),
        ("inferenceservice/x", Workload("inferenceservice", "x")),
    ],
)
def test_a_workload_is_named_as_kubectl_does(text: str, workload: Workload) -> None:
    assert parse_workload(text) == workload


@pytest.mark.parametrize("text", ["daemonset/x", "deployment/", ""])
def test_what_is_no_workload_is_refused(text: str) -> None:
    with pytest.raises(Misused):
        parse_workload(text)
