"""Exploration of online retail baskets: dirt, skew and habit, and why the next basket is predicted from logarithms."""

# %% [markdown]
# # Next baskets
# Invoice lines of a British gift wholesaler, December 2010 to November 2011. The target is the value of a customer's next
# basket, from what is known before it.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

plt.rcParams.update({"figure.dpi": 70, "figure.autolayout": True})
lines = pd.read_csv(
    RAW / "online_retail" / "online_retail.csv.gz", dtype={"InvoiceNo": str, "StockCode": str}
)
lines["InvoiceDate"] = pd.to_datetime(lines["InvoiceDate"])
cancelled = lines["InvoiceNo"].str.startswith("C")
dirt = {
    "lines": len(lines),
    "no customer": lines["CustomerID"].isna().sum(),
    "cancellations": cancelled.sum(),
    "quantity not positive": (lines["Quantity"] <= 0).sum(),
    "price not positive": (lines["UnitPrice"] <= 0).sum(),
    "exact duplicates": lines.duplicated().sum(),
    "no product (postage, fees)": (~lines["StockCode"].str.contains(r"^\d{5}")).sum(),
}
pd.DataFrame({"lines": dirt})

# %% [markdown]
# ## Baskets
# A quarter of the lines name no customer and cannot belong to anybody's next basket. What remains is grouped by invoice.

# %%
good = lines[
    lines["CustomerID"].notna()
    & ~cancelled
    & (lines["Quantity"] > 0)
    & (lines["UnitPrice"] > 0)
    & lines["StockCode"].str.contains(r"^\d{5}")
].drop_duplicates()
good = good.assign(value=good["Quantity"] * good["UnitPrice"])
baskets = (
    good.groupby("InvoiceNo")
    .agg(
        customer=("CustomerID", "first"),
        at=("InvoiceDate", "min"),
        value=("value", "sum"),
        products=("StockCode", "nunique"),
    )
    .sort_values("at")
)
baskets["earlier"] = baskets.groupby("customer").cumcount()
print(f"{len(baskets)} baskets of {baskets['customer'].nunique()} customers")
baskets[["value", "products"]].describe(percentiles=[0.05, 0.5, 0.95, 0.99]).round(1).T

# %% [markdown]
# ## Skew
# Values span five powers of ten, and one order of 168,470 GBP was cancelled minutes later. Squared errors would be about that
# order alone: the loss is absolute, and features are logarithms.

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 2.8))
axes[0].hist(np.log10(baskets["value"]), bins=60)
axes[0].set_xlabel("log10 value (GBP)")
per_customer = baskets.groupby("customer").size()
axes[1].hist(per_customer.clip(upper=30), bins=30)
axes[1].set_xlabel("baskets per customer (30 = more)")
weekly = baskets.resample("W", on="at")["value"].median()
axes[2].plot(weekly)
axes[2].set_ylabel("median value by week")
axes[2].tick_params(axis="x", rotation=45)

# %% [markdown]
# ## Habit
# A customer's baskets resemble one another: the mean logarithm of earlier baskets says more than the last basket, and more so
# the more baskets there were.

# %%
logs = np.log(baskets["value"])
past = logs.groupby(baskets["customer"])
baskets["log_mean"] = (past.cumsum() - logs) / baskets["earlier"].where(baskets["earlier"] > 0)
baskets["log_last"] = past.shift(1)
again = baskets[baskets["earlier"] > 0]
table = {
    name: {
        "correlation with the log of the next": np.corrcoef(np.log(part["value"]), part[column])[0, 1],
        "baskets": len(part),
    }
    for name, part, column in (
        ("last basket", again, "log_last"),
        ("mean of earlier", again, "log_mean"),
        ("mean of earlier, 5 or more", again[again["earlier"] >= 5], "log_mean"),
    )
}
pd.DataFrame(table).T.round(3)

# %% [markdown]
# ## Regulars
# A regular is a product that the customer bought in two or more **earlier** baskets. Counting the basket that is to be
# predicted among them is a leak: it adds its own products, and with them its own size.

# %%
counted = good.merge(baskets[["earlier"]], left_on="InvoiceNo", right_index=True)
seen = counted.drop_duplicates(["InvoiceNo", "StockCode"]).sort_values("InvoiceDate")
seen["times_before"] = seen.groupby(["CustomerID", "StockCode"]).cumcount()
honest = (seen["times_before"] == 2).groupby(seen["InvoiceNo"]).sum()
honest = honest.reindex(baskets.index).groupby(baskets["customer"]).cumsum() - honest.reindex(baskets.index)
leaking = (seen["times_before"] >= 1).groupby(seen["InvoiceNo"]).sum().reindex(baskets.index)
pd.DataFrame(
    {
        "rank correlation with the basket's value": {
            "regulars before the basket": honest.corr(baskets["value"], method="spearman"),
            "products bought before, counted in the basket itself (leak)": leaking.corr(
                baskets["value"], method="spearman"
            ),
        }
    }
).round(3)

# %% [markdown]
# **Chosen:** the seed's four features and a customer's history in logarithms, each as of the moment before the basket;
# absolute-error loss.
