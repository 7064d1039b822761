"""Asking the endpoint as a caller would. Runs in the image: the standard library, httpx, and our own declarations."""
