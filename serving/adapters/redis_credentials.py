"""Credentials of Redis from a mounted file, read by each new connection: a changed password needs no restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from redis.asyncio.connection import parse_url
from redis.credentials import CredentialProvider

from records.mounted_secrets import read_secret


class MountedCredentials(CredentialProvider):
    """Those of the URL that the file holds; while it holds none, those known so far."""

    def __init__(self, url: str, mounted: Path) -> None:
        self._mounted = mounted
        self._known = _credentials(url)

    @property
    def known(self) -> bool:
        """Whether there are any: a Redis without a password is not greeted with one."""
        return bool(self._known)

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        try:
            self._known = _credentials(read_secret(self._mounted, setting="")) or self._known
        except ValueError:  # being replaced, or no URL: the next connection looks again
            pass
        assert self._known is not None
        return self._known

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        return self.get_credentials()


def follow_credentials(pool: Any, url: str, mounted: Path) -> None:
    """New connections of a pool, asynchronous or not, take theirs from the file; a URL without any is left as it is."""
    credentials = MountedCredentials(url, mounted)
    if credentials.known:
        for name in ("username", "password"):
            pool.connection_kwargs.pop(name, None)
        pool.connection_kwargs["credential_provider"] = credentials


def _credentials(url: str) -> tuple[str] | tuple[str, str] | None:
    parts = parse_url(url)
    username, password = parts.get("username"), parts.get("password")
    if not password:
        return None
    return (username, password) if username else (password,)
