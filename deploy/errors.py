"""What delivery refuses, each in a line for the person at the terminal."""

from __future__ import annotations


class DeliveryError(Exception):
    """Base of all; its text is what is printed, `exit_code` what the program ends with."""

    exit_code = 2
