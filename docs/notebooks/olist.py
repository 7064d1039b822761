"""Exploration of Olist orders: drift, censoring, what is known at purchase, and why the promised date is a feature."""

# %% [markdown]
# # Olist deliveries
# A 30 % sample of the orders of a Brazilian marketplace, September 2016 to July 2018; the target is the time from purchase to
# delivery. Two models learn it: in days for clients that know a seller's ZIP prefix and where the customer lives, and in
# minutes for those that know the order.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

plt.rcParams.update({"figure.dpi": 70, "figure.autolayout": True})
FOLDER = RAW / "olist"
dates = [
    "order_purchase_timestamp",
    "order_delivered_customer_date",
    "order_estimated_delivery_date",
    "order_delivered_carrier_date",
]
orders = pd.read_csv(FOLDER / "olist_orders_dataset.csv.gz", parse_dates=dates)
delivered = (
    orders[orders["order_status"] == "delivered"].dropna(subset="order_delivered_customer_date").copy()
)
DAY = pd.Timedelta(days=1)
delivered["days"] = (delivered["order_delivered_customer_date"] - delivered["order_purchase_timestamp"]) / DAY
delivered["promised"] = (
    delivered["order_estimated_delivery_date"] - delivered["order_purchase_timestamp"]
) / DAY
delivered["month"] = delivered["order_purchase_timestamp"].dt.to_period("M").dt.to_timestamp()
print(orders["order_status"].value_counts().to_dict())
delivered[["days", "promised"]].describe(percentiles=[0.05, 0.5, 0.95, 0.99]).round(1).T

# %% [markdown]
# ## Drift
# Deliveries got faster: 17 days in February 2018, 9 in July. A random split would hide it, and a model frozen in spring is
# slow by summer. The ratio of the time taken to the time promised moves as well: 0.73 in March, 0.33 in June. Whoever scores a
# later slice has to expect both to move on.

# %%
monthly = delivered.groupby("month").agg(
    orders=("days", "size"), days=("days", "mean"), promised=("promised", "mean")
)
monthly["ratio"] = delivered["days"].groupby(delivered["month"]).sum() / (
    delivered["promised"].groupby(delivered["month"]).sum()
)
figure, axes = plt.subplots(1, 2, figsize=(11, 3))
monthly.loc["2017":, ["days", "promised"]].plot(ax=axes[0], marker=".")
monthly.loc["2017":, "ratio"].plot(ax=axes[1], marker=".", title="taken / promised", ylim=(0, 1))
monthly.tail(8).round(2)

# %% [markdown]
# ## Censoring
# An order is labelled when it arrives. On the last day of the data the slow ones of the last weeks are still on the road: who
# trains on whatever has a label sees only the fast ones. Training therefore uses labels known at its cut, and the last weeks
# carry that bias knowingly.

# %%
end = orders["order_purchase_timestamp"].max()
late = delivered[delivered["order_purchase_timestamp"] > end - 40 * DAY]
late = late.assign(age=((end - late["order_purchase_timestamp"]) / DAY // 5 * 5).astype(int))
known = late["order_delivered_customer_date"] <= end
pd.DataFrame(
    {
        "known at the end": known.groupby(late["age"]).mean(),
        "mean days, known": late[known].groupby("age")["days"].mean(),
        "mean days, all": late.groupby("age")["days"].mean(),
    }
).rename_axis("purchased … days before the end").round(2)

# %% [markdown]
# ## Place
# Sellers sit in the south-east; the farther the customer, the longer it takes. Distance and the same-state question carry most
# of what three fields can say.

# %%
customers = pd.read_csv(FOLDER / "olist_customers_dataset.csv.gz", dtype=str)
sellers = pd.read_csv(FOLDER / "olist_sellers_dataset.csv.gz", dtype=str)
items = pd.read_csv(FOLDER / "olist_order_items_dataset.csv.gz", parse_dates=["shipping_limit_date"])
places = pd.read_csv(
    FOLDER / "olist_geolocation_by_prefix.csv.gz", dtype={"geolocation_zip_code_prefix": str}
)
place = places.set_index("geolocation_zip_code_prefix")[["geolocation_lat", "geolocation_lng"]]
first = items.sort_values("order_item_id").drop_duplicates("order_id")
joined = (
    delivered.merge(customers, on="customer_id").merge(first, on="order_id").merge(sellers, on="seller_id")
)
to = place.reindex(joined["customer_zip_code_prefix"]).to_numpy()
start = place.reindex(joined["seller_zip_code_prefix"]).to_numpy()
a, b = np.radians(start), np.radians(to)
half = np.sin((b - a) / 2) ** 2
joined["km"] = 12742 * np.arcsin(
    np.sqrt(half[:, 0] + np.cos(a[:, 0]) * np.cos(b[:, 0]) * half[:, 1]).clip(0, 1)
)
figure, axes = plt.subplots(1, 2, figsize=(11, 3))
bins = pd.qcut(joined["km"], 20, duplicates="drop")
means = joined.groupby(bins, observed=True)["days"].median()
axes[0].plot([interval.mid for interval in means.index], means.to_numpy(), marker=".")
axes[0].set_xlabel("km between seller and customer")
axes[0].set_ylabel("median days")
joined.groupby("customer_state")["days"].median().sort_values().plot.bar(ax=axes[1], fontsize=7)
print(
    "without coordinates:",
    int(np.isnan(to[:, 0]).sum()),
    "customers,",
    int(np.isnan(start[:, 0]).sum()),
    "sellers",
)

# %% [markdown]
# ## What is known at purchase
# Approval, hand-over and review come later and may not be features. The promised date, the seller's hand-over deadline, price,
# freight, weight and places are known, or nearly so.

# %%
products = pd.read_csv(FOLDER / "olist_products_dataset.csv.gz")
joined = joined.merge(products, on="product_id", how="left")
joined["volume"] = joined[["product_length_cm", "product_height_cm", "product_width_cm"]].prod(axis=1)
joined["handover"] = (joined["shipping_limit_date"] - joined["order_purchase_timestamp"]) / DAY
joined["weekday"] = joined["order_purchase_timestamp"].dt.dayofweek
KNOWN = ["promised", "km", "handover", "freight_value", "price", "product_weight_g", "volume", "weekday"]
joined[[*KNOWN, "days"]].corr(method="spearman")[["days"]].drop("days").round(3).T

# %% [markdown]
# ## Outliers
# One order in a hundred takes more than 46 days, the longest 190: strikes, lost parcels, floods. They are filtered from
# training, where they would pull every answer up, and never from an evaluation.

# %%
figure, axis = plt.subplots(figsize=(8, 2.6))
axis.hist(delivered["days"], bins=np.arange(0, 100))
axis.set_yscale("log")
axis.set_xlabel("days")
print(
    "order of events broken:",
    int((delivered["order_delivered_carrier_date"] < delivered["order_purchase_timestamp"]).sum()),
)

# %% [markdown]
# **Chosen:** distance, places and their encodings for the three fields everybody sends; promised date, hand-over, calendar,
# freight, weight and volume where a caller has them; absolute-error loss, recent orders weighted up.
