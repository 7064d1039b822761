"""Offline prediction: a table in, the same table with answers out, by the servable and the feature code that serve."""
