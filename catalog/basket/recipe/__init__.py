"""The training half of basket. Left out of the image: nothing that serves may import it."""

from catalog.basket.recipe.copies import fitted_on
from catalog.basket.recipe.download import download
from catalog.basket.recipe.estimator import make_estimator, suggest
from catalog.basket.recipe.expectations import RAW_SCHEMAS
from catalog.basket.recipe.preparation import labelled, materialise, prepare
from catalog.basket.recipe.quick import yardstick
from catalog.basket.recipe.raw import RAW_FILES, RAW_FOLDER
from catalog.basket.recipe.synthetic import synthesise

__all__ = [
    "RAW_FILES",
    "RAW_FOLDER",
    "RAW_SCHEMAS",
    "download",
    "fitted_on",
    "labelled",
    "make_estimator",
    "materialise",
    "prepare",
    "suggest",
    "synthesise",
    "yardstick",
]
