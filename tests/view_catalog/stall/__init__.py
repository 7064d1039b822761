"""A model of the tests."""
