"""Implementations of `serving.ports` on real files and real servers."""
