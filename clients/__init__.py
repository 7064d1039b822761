"""Talking to a Slipway service from outside: the Python client, and the demonstration that uses it."""
