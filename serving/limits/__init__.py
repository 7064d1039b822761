"""How often a caller may ask a model: token buckets that workers share, without a request ever waiting for a network."""
