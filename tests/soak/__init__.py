"""A service under a mixed load for an hour, and what its processes hold meanwhile: see `tests.soak.__main__`."""
