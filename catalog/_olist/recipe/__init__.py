"""What the recipes of the Olist models share. Left out of the image like every recipe."""

from catalog._olist.recipe.download import download
from catalog._olist.recipe.expectations import RAW_SCHEMAS
from catalog._olist.recipe.orders import delivered_orders
from catalog._olist.recipe.raw import RAW_FILES, RAW_FOLDER
from catalog._olist.recipe.split import split_by_time
from catalog._olist.recipe.synthetic import synthesise

__all__ = [
    "RAW_FILES",
    "RAW_FOLDER",
    "RAW_SCHEMAS",
    "delivered_orders",
    "download",
    "split_by_time",
    "synthesise",
]
