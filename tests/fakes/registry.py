"""A registry in memory: versions with servables on disk, aliases, approvals; it can be down."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from serving.agent.registry import RegisteredVersion, RegistryUnavailable


class MemoryRegistry:
    """Registry. `downloads` says which versions were fetched; while `down` is set everything raises."""

    def __init__(self) -> None:
        self.folders: dict[tuple[str, str], Path] = {}
        self.versions: dict[tuple[str, str], RegisteredVersion] = {}
        self.aliases: dict[tuple[str, str], str] = {}
        self.downloads: list[str] = []
        self.down = False

    def register(
        self, registry_name: str, version: str, folder: Path, digest: str, *, withdrawn: bool = False
    ) -> None:
        key = registry_name, version
        self.folders[key] = folder
        self.versions[key] = RegisteredVersion(
            registry_name=registry_name,
            version=version,
            run_id=f"run-{version}",
            digest=digest,
            withdrawn=withdrawn,
        )

    def approve(self, registry_name: str, *versions: str) -> None:
        for version in versions:
            key = registry_name, version
            self.versions[key] = dataclasses.replace(self.versions[key], approved=True)

    def point(self, registry_name: str, alias: str, version: str) -> None:
        self.aliases[registry_name, alias] = version

    def behind_alias(self, registry_name: str, alias: str) -> RegisteredVersion | None:
        self._answer()
        version = self.aliases.get((registry_name, alias))
        return None if version is None else self.versions[registry_name, version]

    def by_number(self, registry_name: str, version: str) -> RegisteredVersion | None:
        self._answer()
        return self.versions.get((registry_name, version))

    def approved(self, registry_name: str) -> list[RegisteredVersion]:
        self._answer()
        found = [version for key, version in self.versions.items() if key[0] == registry_name]
        approved = [version for version in found if version.approved]
        return sorted(approved, key=lambda version: -int(version.version))

    def download(self, version: RegisteredVersion, folder: Path) -> None:
        self._answer()
        self.downloads.append(version.version)
        shutil.copytree(self.folders[version.registry_name, version.version], folder)

    def _answer(self) -> None:
        if self.down:
            raise RegistryUnavailable("the registry is down")
