"""Exploration of California housing: caps, geography and ratios, and why place matters more than any count."""

# %% [markdown]
# # California housing
# Block groups of the 1990 census; the target is the median house value in 100,000 dollars. No time, hence a random split.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

plt.rcParams.update({"figure.dpi": 70, "figure.autolayout": True})
blocks = pd.read_csv(RAW / "housing" / "housing.csv.gz")
value = blocks["median_house_value"] / 1e5
print(f"{len(blocks)} blocks; missing: {blocks.isna().sum()[lambda n: n > 0].to_dict()}")
blocks.describe().T.round(2)

# %% [markdown]
# ## The target and the caps
# Values stop at 500,001, ages at 52, incomes at 15.0001: ceilings of the survey, visible as spikes. A prediction above the
# ceiling cannot be right there, so answers stop at it too.

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 2.8))
for axis, (name, column) in zip(
    axes,
    (
        ("value (100k USD)", value),
        ("age (years)", blocks["housing_median_age"]),
        ("income (10k USD)", blocks["median_income"]),
    ),
    strict=True,
):
    axis.hist(column, bins=60)
    axis.set_xlabel(name)
print("capped:", int((value > 5).sum()), "values,", int((blocks["housing_median_age"] == 52).sum()), "ages")

# %% [markdown]
# ## Place
# Prices follow the coast and the two large cities, at scales from a street to a county.

# %%
figure, axis = plt.subplots(figsize=(6.5, 6))
points = axis.scatter(blocks["longitude"], blocks["latitude"], c=value, s=2, cmap="viridis", rasterized=True)
_ = figure.colorbar(points, label="100k USD")
pd.DataFrame(
    {
        "blocks": blocks["ocean_proximity"].value_counts(),
        "median value": value.groupby(blocks["ocean_proximity"]).median(),
    }
)

# %% [markdown]
# ## Ratios and outliers
# Rooms, bedrooms and people per household have long tails: holiday resorts with few households, barracks with many people.
# They are real, so they stay; trees do not mind, a linear model would.

# %%
ratios = pd.DataFrame(
    {
        "rooms": blocks["total_rooms"] / blocks["households"],
        "bedrooms": blocks["total_bedrooms"] / blocks["households"],
        "people": blocks["population"] / blocks["households"],
    }
)
ratios.describe(percentiles=[0.01, 0.5, 0.99]).round(2)

# %% [markdown]
# ## Correlations
# Income is by far the strongest single column. Counts correlate with one another and hardly with the value: only their
# ratios enter.

# %%
numbers = blocks.drop(columns=["ocean_proximity", "median_house_value"]).join(ratios).assign(value=value)
correlation = numbers.corr(method="spearman")
figure, axis = plt.subplots(figsize=(6.5, 5.5))
image = axis.imshow(correlation, vmin=-1, vmax=1, cmap="RdBu_r")
axis.set_xticks(range(len(correlation)), correlation.columns, rotation=90, fontsize=7)
axis.set_yticks(range(len(correlation)), correlation.columns, fontsize=7)
_ = figure.colorbar(image)

# %% [markdown]
# ## How local is price?
# The mean value of the nearest blocks, leaving each block out, explains more than all other columns together: the reason for
# features of the neighbourhood.

# %%
from sklearn.neighbors import NearestNeighbors

plane = np.column_stack([blocks["latitude"], blocks["longitude"] * np.cos(np.radians(36))])
near = NearestNeighbors(n_neighbors=51).fit(plane).kneighbors(plane, return_distance=False)[:, 1:]
explained = {
    count: np.corrcoef(value.to_numpy()[near[:, :count]].mean(axis=1), value)[0, 1] ** 2
    for count in (1, 3, 5, 10, 20, 50)
}
explained["income alone"] = np.corrcoef(blocks["median_income"], value)[0, 1] ** 2
pd.DataFrame({"share of variance explained": explained}).round(3)

# %% [markdown]
# **Chosen:** the seed's eight columns, geography at several scales, and an ensemble of boosted trees.
