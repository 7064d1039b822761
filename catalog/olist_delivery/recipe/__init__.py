"""The training half of olist-delivery. Left out of the image: nothing that serves may import it."""

from catalog._olist.recipe import RAW_FILES, RAW_FOLDER, RAW_SCHEMAS, download, synthesise
from catalog.olist_delivery.recipe.estimator import make_estimator, suggest
from catalog.olist_delivery.recipe.gaps import fitted_on
from catalog.olist_delivery.recipe.preparation import labelled, prepare
from catalog.olist_delivery.recipe.quick import yardstick

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
