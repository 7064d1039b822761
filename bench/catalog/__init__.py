"""A catalog of its own, so that benchmark fixtures are served by the ordinary service without being products."""
