"""What Git says about the tree an image is built from: its tag and its labels."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from deploy.errors import ImageFailed
from deploy.image.programs import attempt, run

REVISION_LENGTH = 12


@dataclass(frozen=True, kw_only=True)
class Source:
    """A commit, and whether the tree differs from it. `url` is None where there is no remote to name."""

    version: str
    revision: str
    dirty: bool
    url: str | None

    @property
    def tag(self) -> str:
        """The same for the same commit, on every machine; what was never committed says so."""
        return f"{self.version}-{self.revision[:REVISION_LENGTH]}{'-dirty' if self.dirty else ''}"

    def labels(self) -> dict[str, str]:
        labels = {
            "org.opencontainers.image.version": self.tag,
            "org.opencontainers.image.revision": self.revision + ("-dirty" if self.dirty else ""),
        }
        if self.url:
            labels["org.opencontainers.image.source"] = self.url
        return labels


def source_of(root: Path) -> Source:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    head = attempt(["git", "rev-parse", "HEAD"], cwd=root)
    if head.returncode:
        raise ImageFailed("an image is named after its commit, and this is no Git repository with one")
    remote = attempt(["git", "config", "--get", "remote.origin.url"], cwd=root).stdout.strip()
    return Source(
        version=str(project["version"]),
        revision=head.stdout.strip(),
        dirty=bool(run(["git", "status", "--porcelain"], cwd=root).strip()),
        url=public_url(remote),
    )


def public_url(remote: str) -> str | None:
    """A remote as a page to read, without anybody's credentials; None for a path."""
    over_ssh = re.fullmatch(r"(?:ssh://)?[\w.-]+@([\w.-]+)[:/](.+)", remote)
    if over_ssh:
        host, path = over_ssh.groups()
        return f"https://{host}/{path.removesuffix('.git')}"
    parts = urlsplit(remote)
    if parts.scheme not in ("http", "https"):
        return None
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, host + port, parts.path.removesuffix(".git"), "", ""))


def tracked_files(root: Path) -> list[Path]:
    """Everything that Git knows or would add: what a build may look at. Files deleted and not yet committed are left out."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root)
    return sorted({Path(name) for name in listed.split("\0") if name and (root / name).is_file()})
