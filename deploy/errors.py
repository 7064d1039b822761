"""What delivery refuses, each in a line for the person at the terminal."""

from __future__ import annotations


class DeliveryError(Exception):
    """Base of all; its text is what is printed, `exit_code` what the program ends with."""

    exit_code = 2


class PromotionImpossible(DeliveryError):
    """The overlay has no such line, or what it should say makes no sense."""


class ProgramFailed(DeliveryError):
    """Git, kustomize or the forge's program refused what it was asked."""


class ImageFailed(DeliveryError):
    """An image could not be built, looked into or tried."""


class ImageRefused(DeliveryError):
    """It was built, and is not what was asked for: too big, or an answer of it is wrong."""

    exit_code = 1
