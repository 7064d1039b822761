"""The base of an image: the one that was asked for, the default where it can be had, or one made from Debian packages."""

from __future__ import annotations

import re
from pathlib import Path

from deploy import debian
from deploy.errors import ImageFailed
from deploy.image.engine import Engine, install
from deploy.image.programs import run
from deploy.image.settings import ImageSettings

SUITE = "bookworm"  # the Debian that has Python 3.11
# libstdc++ is what compiled packages expect of a base; the image that trains asks Git which commit it is.
SERVING_PACKAGES = ("python3", "python3-venv", "libstdc++6")
TRAINING_PACKAGES = (*SERVING_PACKAGES, "git")
PULL_SECONDS = 90
BASE = re.compile(r"^\s+base_image:\s*(\S+)", flags=re.MULTILINE)
PATH = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WITHOUT = ("man", "locale", "info", "doc")


def default_base(project: Path) -> str:
    """What bentofile.yaml names."""
    found = BASE.search((project / "bentofile.yaml").read_text())
    if found is None:
        raise ImageFailed("bentofile.yaml names no base_image")
    return found[1]


def find_base(settings: ImageSettings, engine: Engine, default: str, packages: tuple[str, ...]) -> str:
    """Its name, there to build on. Packages are what it has to hold where it has to be made."""
    if settings.base_image:
        return settings.base_image
    if engine.succeeds("image", "inspect", default):
        return default
    if engine.succeeds("pull", "--quiet", default, seconds=PULL_SECONDS):
        return default
    return debian_base(settings.image_cache, engine, packages)


def debian_base(cache: Path, engine: Engine, packages: tuple[str, ...]) -> str:
    """Imported from a tar that is made once. Raises ImageFailed where Debian's tools are missing."""
    kind = "training" if packages == TRAINING_PACKAGES else "serving"
    name, tar = f"slipway-base-{kind}:{SUITE}", cache / f"base-{kind}-{SUITE}.tar"
    if engine.succeeds("image", "inspect", name):
        return name
    if not tar.is_file():
        make_debian_root(tar, packages)
    engine.run("import", "--change", PATH, str(tar), name)
    return name


def make_debian_root(tar: Path, packages: tuple[str, ...]) -> None:
    """Without apt, manuals and translations; licences stay."""
    install("mmdebstrap", ("mmdebstrap",))
    options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in WITHOUT]
    options += ["--dpkgopt=path-include=/usr/share/doc/*/copyright", f"--include={','.join(packages)}"]
    tar.parent.mkdir(parents=True, exist_ok=True)
    staged = tar.with_name(f"new-{tar.name}")
    mirror = debian.debian_mirror()
    run(["mmdebstrap", "--quiet", "--variant=essential", *options, SUITE, str(staged), mirror])
    staged.replace(tar)
