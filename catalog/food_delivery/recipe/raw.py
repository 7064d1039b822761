"""Reading the raw files of food-delivery: three files, two spellings of their columns, one frame of text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

DATED, UNDATED, REQUESTS = "train_raw.csv.gz", "train_extended_no_dates.csv.gz", "unlabelled_requests.csv.gz"
RAW_FOLDER = "food_delivery"
RAW_FILES = (DATED, UNDATED, REQUESTS)

NAMES = {
    "Weatherconditions": "weather",
    "Weather_conditions": "weather",
    "Time_taken(min)": "label",
    "Time_taken (min)": "label",
    "Delivery_person_Age": "rider_age",
    "Delivery_person_Ratings": "rider_rating",
    "Restaurant_latitude": "restaurant_latitude",
    "Restaurant_longitude": "restaurant_longitude",
    "Delivery_location_latitude": "delivery_latitude",
    "Delivery_location_longitude": "delivery_longitude",
    "Road_traffic_density": "road_traffic",
    "Vehicle_condition": "vehicle_condition",
    "Type_of_order": "order_type",
    "Type_of_vehicle": "vehicle_type",
    "multiple_deliveries": "multiple_deliveries",
    "Festival": "festival",
    "City": "city",
    "ID": "id",
    "Delivery_person_ID": "entity",
}
MISSING = {"", "NaN", "nan", "conditions NaN"}


def read_raw(path: Path) -> pd.DataFrame:
    """Text columns under their new names, blanks stripped, every spelling of missing as None."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False).rename(columns=NAMES)
    for name in frame.columns:
        values = frame[name].str.strip().astype(object)
        frame[name] = values.where(~values.isin(MISSING), None)
    return frame
