"""How a version came to answer a request, as it is logged: what a report compares must not be guessed from rows.

Light: the request process imports it.
"""

from __future__ import annotations

PRODUCTION = "production"  # the split chose production
CHALLENGER = "challenger"  # the split chose the challenger
MISSING = "missing"  # the split chose the challenger, which was not loaded: production answered
NAMED = "named"  # the request named its version: no split chose anything
