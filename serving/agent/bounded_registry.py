"""A registry that cannot hold its asker up: what does not come back in time is an outage, however it hangs.

The client's own timeout is for one read, and a server that sends a byte now and then never meets it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from serving.agent.registry import RegisteredVersion, Registry, RegistryUnavailable

ASK_SECONDS = 15.0
DOWNLOAD_SECONDS = 240.0  # shorter than the step of a chore that counts as stuck (`serving.agent.pulse`)

T = TypeVar("T")


class BoundedRegistry:
    """Implements `Registry`. While an overdue question is still with the registry no other is asked."""

    def __init__(
        self,
        registry: Registry,
        *,
        ask_seconds: float = ASK_SECONDS,
        download_seconds: float = DOWNLOAD_SECONDS,
    ) -> None:
        self._registry = registry
        self._ask_seconds, self._download_seconds = ask_seconds, download_seconds
        self._overdue: threading.Thread | None = None

    def behind_alias(self, registry_name: str, alias: str) -> RegisteredVersion | None:
        return self._within(self._ask_seconds, lambda: self._registry.behind_alias(registry_name, alias))

    def by_number(self, registry_name: str, version: str) -> RegisteredVersion | None:
        return self._within(self._ask_seconds, lambda: self._registry.by_number(registry_name, version))

    def approved(self, registry_name: str) -> list[RegisteredVersion]:
        return self._within(self._ask_seconds, lambda: self._registry.approved(registry_name))

    def download(self, version: RegisteredVersion, folder: Path) -> None:
        self._within(self._download_seconds, lambda: self._registry.download(version, folder))

    def _within(self, seconds: float, ask: Callable[[], T]) -> T:
        if self._overdue is not None and self._overdue.is_alive():
            raise RegistryUnavailable("still waiting")
        answers: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                answers.append(ask())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=work, name="registry", daemon=True)
        thread.start()
        thread.join(seconds)
        if errors:
            raise errors[0]
        if not answers:
            self._overdue = thread
            raise RegistryUnavailable(f"no answer within {seconds:g} s")
        return answers[0]
