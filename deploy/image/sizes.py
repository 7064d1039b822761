"""What takes the space in an image, and whether it is more than was agreed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from deploy.image.contents import Contents

MEGA = 1_000_000
SITE_PACKAGES = re.compile(r"^app/\.venv/lib/python3\.\d+/site-packages/([^/]+)")
SHOWN = 15


@dataclass(frozen=True, kw_only=True)
class Share:
    name: str
    size: int


def shares(contents: Contents) -> list[Share]:
    """Largest first. Compiled bytecode is a share of its own, wherever it lies in the environment."""
    sizes: Counter[str] = Counter()
    for path, entry in contents.entries.items():
        sizes[share_name(path)] += entry.size
    return [Share(name=name, size=size) for name, size in sizes.most_common()]


def share_name(path: str) -> str:
    if path.startswith("app/bento/src/baked"):
        return "baked models and features"
    if path.startswith("app/bento"):
        return "sources"
    if not path.startswith("app/.venv"):
        return "base image"
    if path.endswith(".pyc"):
        return "bytecode"
    package = SITE_PACKAGES.match(path)
    return _package(package[1]) if package else "environment"


def table(found: Iterable[Share], *, budget_mb: int) -> str:
    """Markdown: the largest shares, the rest in one line, the sum beside the budget."""
    every = list(found)
    total = sum(share.size for share in every)
    shown, rest = every[:SHOWN], every[SHOWN:]
    if rest:
        shown = [*shown, Share(name=f"{len(rest)} more", size=sum(share.size for share in rest))]
    lines = ["| part | MB | % |", "|---|---|---|"]
    lines += [
        f"| {share.name} | {share.size / MEGA:.1f} | {100 * share.size / max(total, 1):.0f} |"
        for share in shown
    ]
    lines.append(f"| **sum**, budget {budget_mb} | **{total / MEGA:.1f}** | 100 |")
    return "\n".join(lines)


def _package(folder: str) -> str:
    """Folder of a distribution's code, metadata or bundled libraries: `numpy.libs` counts as numpy."""
    name = re.sub(r"(-[^-]+)?\.(dist-info|libs)$", "", folder)
    return name.removesuffix(".py").lower().replace("-", "_")
