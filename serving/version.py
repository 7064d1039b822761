"""The version of this package, for whoever asks the service; a test holds it to pyproject.toml, which no image has."""

from __future__ import annotations

VERSION = "0.1.0"
