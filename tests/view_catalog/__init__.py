"""A catalog of two tiny models whose features are looked up: of a user who must be known, and of a place that need not be."""
