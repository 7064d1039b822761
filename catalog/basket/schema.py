"""What a caller sends for basket, and what is kept for every user: fields, units and bounds."""

from __future__ import annotations

from typing import Any

from pydantic import Field, NaiveDatetime

from modelkit.schema import RequestModel


def _kept(description: str, unit: str, **bounds: Any) -> Any:
    """What a user's history may not have yet, or an older set of features does not hold."""
    return Field(default=None, description=description, json_schema_extra={"unit": unit}, ge=0, **bounds)


class BasketRequest(RequestModel):
    """Whose next basket, and when. Without the moment the answer is that of a basket at an unknown time."""

    user_id: str = Field(
        min_length=1, max_length=64, description="Who orders", json_schema_extra={"unit": "id"}
    )
    ordered_at: NaiveDatetime | None = Field(
        default=None,
        description="When the basket is ordered, once it is known",
        json_schema_extra={"unit": "local time"},
    )


class BasketFeatures(RequestModel):
    """A user's history as of a moment. The first four are what the feature store has always held."""

    prior_basket_value: float = Field(
        ge=0, description="Value of the last basket", json_schema_extra={"unit": "GBP"}
    )
    prior_item_count: int = Field(
        ge=1, description="Distinct products of the last basket", json_schema_extra={"unit": "products"}
    )
    prior_regulars_count: int = Field(
        ge=0,
        description="Products of the last basket that were bought before it",
        json_schema_extra={"unit": "products"},
    )
    regulars_count: int = Field(
        ge=0, description="Products bought in at least two baskets", json_schema_extra={"unit": "products"}
    )
    basket_count: int | None = _kept("Baskets so far", "baskets")
    mean_value: float | None = _kept("Mean value of a basket", "GBP")
    log_mean_value: float | None = _kept("Exponential of the mean logarithm of values", "GBP")
    log_spread: float | None = _kept("Standard deviation of the logarithms of values", "1")
    recent_log_mean: float | None = _kept("The same mean, later baskets weighing more", "GBP")
    smallest_value: float | None = _kept("Smallest basket", "GBP")
    lower_quartile: float | None = _kept("A quarter of baskets is smaller", "GBP")
    median_value: float | None = _kept("Half of the baskets are smaller", "GBP")
    upper_quartile: float | None = _kept("A quarter of baskets is larger", "GBP")
    largest_value: float | None = _kept("Largest basket", "GBP")
    recent_median: float | None = _kept("Median of the last five baskets", "GBP")
    second_last_value: float | None = _kept("Value of the basket before the last", "GBP")
    third_last_value: float | None = _kept("Value of the third last basket", "GBP")
    fourth_last_value: float | None = _kept("Value of the fourth last basket", "GBP")
    visit_count: int | None = _kept("Visits: baskets less than half a day apart are one", "visits")
    last_visit_value: float | None = _kept("Value of the last visit", "GBP")
    second_last_visit_value: float | None = _kept("Value of the visit before the last", "GBP")
    log_mean_visit: float | None = _kept("Exponential of the mean logarithm of visits' values", "GBP")
    median_visit: float | None = _kept("Median value of a visit", "GBP")
    median_opening: float | None = _kept("Median value of a visit's first basket", "GBP")
    log_mean_follow_up: float | None = _kept("Exponential of the mean logarithm of later baskets", "GBP")
    follow_up_share: float | None = _kept("Share of baskets that are not the first of a visit", "1", le=1)
    median_visit_gap: float | None = _kept("Median time between visits", "days")
    last_visit_gap: float | None = _kept("Time between the last two visits", "days")
    last_gap: float | None = _kept("Time between the last two baskets", "days")
    active_days: float | None = _kept("Time between the first basket and the last", "days")
    last_basket_at: float | None = _kept("When the last basket was ordered", "days since 1970, local")
    second_last_basket_at: float | None = _kept("When the basket before it was ordered", "days since 1970")
    last_visit_at: float | None = _kept("When the last visit began", "days since 1970, local")
    last_cancellation_at: float | None = _kept("When something was last cancelled", "days since 1970, local")
    last_cancelled_value: float | None = _kept("Value of the last cancellation", "GBP")
    cancellation_count: int | None = _kept("Cancellations so far", "cancellations")
    cancelled_share: float | None = _kept("Cancelled value by ordered value", "1")
    mean_items: float | None = _kept("Mean distinct products of a basket", "products")
    median_items: float | None = _kept("Median distinct products of a basket", "products")
    product_count: int | None = _kept("Distinct products so far", "products")
    last_median_price: float | None = _kept("Median price of the last basket's products", "GBP")
    mean_median_price: float | None = _kept("Mean over baskets of that price", "GBP")
    last_units: float | None = _kept("Units in the last basket", "units")
    median_units: float | None = _kept("Median units of a basket", "units")
    last_largest_line: float | None = _kept("Largest line of the last basket", "GBP")
    median_largest_line: float | None = _kept("Median largest line of a basket", "GBP")
    domestic: bool | None = Field(
        default=None, description="Whether the last basket went to the United Kingdom"
    )
