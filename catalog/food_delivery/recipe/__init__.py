"""The training half of food-delivery. Left out of the image: nothing that serves may import it."""

from catalog.food_delivery.recipe.download import download
from catalog.food_delivery.recipe.estimator import make_estimator, suggest
from catalog.food_delivery.recipe.expectations import RAW_SCHEMAS
from catalog.food_delivery.recipe.gaps import fitted_on
from catalog.food_delivery.recipe.preparation import labelled, prepare
from catalog.food_delivery.recipe.quick import yardstick
from catalog.food_delivery.recipe.raw import RAW_FILES, RAW_FOLDER
from catalog.food_delivery.recipe.synthetic import synthesise

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
