"""Places for synthetic orders: regions of Brazil with the prefixes that they really begin with."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

# State, city, first prefix, prefixes, latitude, longitude.
REGIONS = (
    ("SP", "sao paulo", 1000, 160, -23.55, -46.63),
    ("SP", "campinas", 13000, 90, -22.91, -47.06),
    ("RJ", "rio de janeiro", 20000, 80, -22.91, -43.2),
    ("MG", "belo horizonte", 30000, 70, -19.92, -43.94),
    ("PR", "curitiba", 80000, 40, -25.43, -49.27),
    ("RS", "porto alegre", 90000, 40, -30.03, -51.22),
    ("BA", "salvador", 40000, 40, -12.97, -38.5),
    ("PE", "recife", 50000, 30, -8.06, -34.88),
    ("CE", "fortaleza", 60000, 30, -3.73, -38.53),
    ("PA", "belem", 66000, 15, -1.46, -48.5),
    ("AM", "manaus", 69000, 10, -3.12, -60.02),
    ("DF", "brasilia", 70000, 30, -15.79, -47.88),
)


def region_places(random: Generator) -> pd.DataFrame:
    """One coordinate per prefix, scattered around its city."""
    frames = []
    for state, city, first, prefixes, lat, lng in REGIONS:
        numbers = first + 37 * np.arange(prefixes)
        points = np.round(np.array([lat, lng]) + random.normal(0, 0.4, (prefixes, 2)), 6)
        frames.append(
            pd.DataFrame(
                {
                    "geolocation_zip_code_prefix": [f"{number:05d}" for number in numbers],
                    "geolocation_lat": points[:, 0],
                    "geolocation_lng": points[:, 1],
                    "geolocation_city": city,
                    "geolocation_state": state,
                }
            )
        )
    return pd.concat(frames, ignore_index=True).drop_duplicates("geolocation_zip_code_prefix")
