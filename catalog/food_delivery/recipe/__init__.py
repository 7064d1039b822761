"""The training half of food-delivery. Left out of the image: nothing that serves may import it."""

from catalog.food_delivery.recipe.estimator import make_estimator
from catalog.food_delivery.recipe.preparation import prepare
from catalog.food_delivery.recipe.raw import RAW_FILES
from catalog.food_delivery.recipe.synthetic import synthesise

__all__ = ["RAW_FILES", "make_estimator", "prepare", "synthesise"]
