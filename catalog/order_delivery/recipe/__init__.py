"""The training half of order-delivery. Left out of the image: nothing that serves may import it."""

from catalog._olist.recipe import RAW_FILES, RAW_FOLDER, RAW_SCHEMAS, download, synthesise
from catalog.order_delivery.recipe.estimator import make_estimator, suggest
from catalog.order_delivery.recipe.gaps import fitted_on
from catalog.order_delivery.recipe.preparation import labelled, prepare
from catalog.order_delivery.recipe.quick import yardstick

__all__ = [
    "RAW_FILES",
    "RAW_FOLDER",
    "RAW_SCHEMAS",
    "download",
    "fitted_on",
    "labelled",
    "make_estimator",
    "prepare",
    "suggest",
    "synthesise",
    "yardstick",
]
