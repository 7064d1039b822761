"""The dirt of the real file of basket, put into synthetic lines, so that every reason to leave one out occurs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

CODES = {"POST": 18.0, "M": 42.5, "D": 27.5, "BANK CHARGES": 15.0}


def soil(lines: pd.DataFrame, random: Generator) -> pd.DataFrame:
    """Strangers, duplicates, postage, free lines, cancellations and a bad debt."""
    invoices = lines["InvoiceNo"].drop_duplicates()
    strangers = invoices[random.random(len(invoices)) < 0.12]
    lines.loc[lines["InvoiceNo"].isin(set(strangers)), "CustomerID"] = ""
    free = random.random(len(lines)) < 0.003
    lines.loc[free, "UnitPrice"] = 0.0
    twice = lines[random.random(len(lines)) < 0.01]
    extra = [lines, twice, _charges(lines, random), _cancellations(lines, random), _bad_debt(lines)]
    return pd.concat(extra, ignore_index=True)


def _charges(lines: pd.DataFrame, random: Generator) -> pd.DataFrame:
    """Lines of an invoice that are no product."""
    charged = lines[random.random(len(lines)) < 0.008]
    code = random.choice(list(CODES), len(charged))
    price = [CODES[name] for name in code]
    return charged.assign(StockCode=code, Description="CHARGE", Quantity=1, UnitPrice=price)


def _cancellations(lines: pd.DataFrame, random: Generator) -> pd.DataFrame:
    """Single lines days later, and a few whole invoices within the half hour."""
    whole = lines["InvoiceNo"].drop_duplicates().sample(40, random_state=int(random.integers(2**31)))
    at_once = lines["InvoiceNo"].isin(set(whole))
    later = ~at_once & (random.random(len(lines)) < 0.02)
    minutes = np.where(at_once, 12, 4320 + 60 * random.integers(0, 240, len(lines)))
    chosen = (at_once | later) & (lines["UnitPrice"] > 0)
    at = pd.to_datetime(lines["InvoiceDate"]) + pd.to_timedelta(minutes, unit="min")
    number = np.where(at_once, lines["InvoiceNo"].astype(int) + 100_000, 700_000 + np.arange(len(lines)))
    cancelled = lines.assign(
        InvoiceNo=[f"C{value}" for value in number],
        Quantity=-lines["Quantity"],
        InvoiceDate=at.dt.strftime("%Y-%m-%d %H:%M:%S"),
    )[chosen]
    return cancelled[cancelled["InvoiceDate"] < lines["InvoiceDate"].max()]


def _bad_debt(lines: pd.DataFrame) -> pd.DataFrame:
    """As an accountant books it: for nobody, below zero."""
    row = lines.iloc[[len(lines) // 2]]
    return row.assign(
        InvoiceNo="A563185", StockCode="B", Description="Adjust bad debt", UnitPrice=-11_062.06, CustomerID=""
    )
