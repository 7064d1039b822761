"""Exploration of food delivery minutes: what drives them, which dirt the files carry, and why the features were chosen."""

# %% [markdown]
# # Food delivery
# Orders of restaurants in Indian cities, 11 February to April 2022; the target is the minutes a delivery took. Three files:
# dated rows in the raw dialect, more rows without dates, and unlabelled requests.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from catalog.food_delivery.features import FEATURE_COLUMNS, build
from catalog.food_delivery.recipe import prepare
from catalog.food_delivery.schema import FoodDeliveryRequest
from training.frames import to_columns

plt.rcParams.update({"figure.dpi": 70, "figure.autolayout": True})
rows, tally = prepare(RAW / "food_delivery", {"test_days": 7, "valid_days": 7, "use_undated_rows": True})
print(f"read {tally.read.total()}, used {tally.used}")
pd.DataFrame({"rows": {**tally.dropped, **tally.repaired}}).sort_values("rows", ascending=False)

# %% [markdown]
# ## The target
# Whole minutes between 10 and 54, with steps: the data was made by rules, and trees find them. A constant errs by 7.6
# minutes on average.

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3))
axes[0].hist(rows["label"], bins=np.arange(9.5, 55.5))
axes[0].set_xlabel("minutes")
daily = rows[rows["time"].notna()].groupby("time")["label"].mean()
axes[1].plot(daily)
axes[1].set_ylim(0, 40)
axes[1].set_ylabel("mean minutes by day")
axes[1].tick_params(axis="x", rotation=45)

# %% [markdown]
# The mean hardly moves over the weeks: there is no drift to speak of, but the test slice is still the last week, because that
# is how the model will be used.

# %% [markdown]
# ## What is missing, and what is out of range
# Gaps are a few percent of most columns; the pipeline fills them with a value that trees can tell apart. Ratings of 6 and
# riders of 15 are placeholders and are blanked; flipped signs and (0, 0) restaurants keep their distance.

# %%
request = list(FoodDeliveryRequest.model_fields)
dated = rows[rows["time"].notna()]
pd.DataFrame({"missing": dated[request].isna().mean().round(3), "distinct": dated[request].nunique()}).T

# %% [markdown]
# ## Categories against the target

# %%
CATEGORIES = ["weather", "road_traffic", "city", "vehicle_type", "festival", "multiple_deliveries"]
figure, axes = plt.subplots(2, 3, figsize=(12, 5))
for name, axis in zip(CATEGORIES, axes.flat, strict=True):
    means = rows.groupby(rows[name].astype(object).where(rows[name].notna(), "missing"))["label"].mean()
    means.sort_values().plot.barh(ax=axis, title=name)
    axis.set_ylabel("")

# %% [markdown]
# Festival days, semi-urban places and several deliveries on one trip cost the most; jams and clouds follow. The order within
# a category is the order of the codes in `features.py`, so that one cut of a tree separates slow from fast.

# %% [markdown]
# ## Numbers against the target
# Distance works in steps, age switches at 30, the rating at 4.5: trees, not lines.

# %%
columns = build(to_columns(rows, FoodDeliveryRequest))
features = pd.DataFrame({name: columns[name] for name in FEATURE_COLUMNS}).assign(label=rows["label"])
figure, axes = plt.subplots(1, 4, figsize=(13, 2.8))
for name, axis in zip(["distance_km", "rider_age", "rider_rating", "order_hour"], axes, strict=True):
    bins = pd.qcut(features[name], 20, duplicates="drop")
    means = features.groupby(bins, observed=True)["label"].mean()
    axis.plot([interval.mid for interval in means.index], means.to_numpy(), marker=".")
    axis.set_xlabel(name)
axes[0].set_ylabel("mean minutes")

# %% [markdown]
# ## Outliers
# Distances beyond 25 km do not occur once placeholders are handled; the largest residual groups are festival days.

# %%
features[["distance_km", "preparation_minutes", "rider_age", "rider_rating"]].describe(
    percentiles=[0.01, 0.5, 0.99]
).round(2)

# %% [markdown]
# ## Correlations of the features
# Traffic follows the hour, and weather nothing. Place itself says little beyond the distance, but costs nothing.

# %%
correlation = features.corr(method="spearman")
figure, axis = plt.subplots(figsize=(7.5, 6))
image = axis.imshow(correlation, vmin=-1, vmax=1, cmap="RdBu_r")
axis.set_xticks(range(len(correlation)), correlation.columns, rotation=90, fontsize=7)
axis.set_yticks(range(len(correlation)), correlation.columns, fontsize=7)
_ = figure.colorbar(image)

# %% [markdown]
# **Chosen:** codes ordered by their mean, distance, clock features that survive a missing order time, rider and vehicle; a
# stack of CatBoost and a random forest under small boosted trees.
