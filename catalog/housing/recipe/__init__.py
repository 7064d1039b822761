"""The training half of housing. Left out of the image: nothing that serves may import it."""

from catalog.housing.recipe.estimator import make_estimator, suggest
from catalog.housing.recipe.gaps import fitted_on
from catalog.housing.recipe.preparation import labelled, prepare
from catalog.housing.recipe.quick import yardstick
from catalog.housing.recipe.raw import RAW_FILES, RAW_FOLDER, RAW_SCHEMAS, download
from catalog.housing.recipe.synthetic import synthesise

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
