"""Median house value of a Californian census block group."""
