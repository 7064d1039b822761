"""Fitting a recipe's estimator on what was known at a cut, and the intervals around its answers."""
