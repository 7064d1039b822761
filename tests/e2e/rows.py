"""Random request rows of the two models that the running services serve."""

from __future__ import annotations

import random
from typing import Any

Row = dict[str, Any]
SOURCE_POOL = 200


def iris_row(chance: random.Random) -> tuple[str, Row]:
    fields = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    limits = ((4.0, 8.0), (2.0, 4.5), (1.0, 7.0), (0.1, 2.5))
    return "iris", {
        name: round(chance.uniform(*limit), 3) for name, limit in zip(fields, limits, strict=True)
    }


def food_delivery_row(chance: random.Random) -> tuple[str, Row]:
    latitude, longitude = 12.9 + chance.uniform(-0.1, 0.1), 77.6 + chance.uniform(-0.1, 0.1)
    return "food-delivery", {
        "rider_age": chance.randint(20, 45),
        "rider_rating": round(chance.uniform(3.5, 5), 1),
        "restaurant_latitude": round(latitude, 5),
        "restaurant_longitude": round(longitude, 5),
        "delivery_latitude": round(latitude + chance.uniform(0.01, 0.1), 5),
        "delivery_longitude": round(longitude + chance.uniform(0.01, 0.1), 5),
        "ordered_at": f"2022-03-{chance.randint(1, 28):02d}T{chance.randint(9, 22):02d}:15:00",
        "weather": chance.choice(["sunny", "fog", "stormy", "cloudy"]),
        "road_traffic": chance.choice(["low", "medium", "high", "jam"]),
        "vehicle_condition": chance.randint(0, 2),
        "multiple_deliveries": chance.randint(0, 3),
        "festival": chance.random() < 0.1,
        "city": chance.choice(["urban", "metropolitan"]),
    }


def any_row(chance: random.Random) -> tuple[str, Row]:
    return iris_row(chance) if chance.random() < 0.5 else food_delivery_row(chance)


def repeated_row(chance: random.Random) -> tuple[str, Row]:
    """One of a limited number of rows, so that caches have something to answer."""
    return any_row(random.Random(chance.randrange(SOURCE_POOL)))
