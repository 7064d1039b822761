"""An overlay as promotion sees it: two files with a line per thing that can be promoted.

`kustomization.yaml` says the digest of each image, `models.env` the version of each model. A promotion replaces the value
in one of these lines and leaves every other byte alone, so that its diff and its revert are one line, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.errors import PromotionImpossible
from modelkit.versions_file import VERSION, VersionsInvalid, read_versions, with_version

OVERLAYS = Path("kustomize/overlays")
IMAGE = "slipway"
PRODUCTION = "production"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
UNRELEASED = "sha256:" + "0" * 64


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One line to be changed: which value of which file becomes which. `text` is the whole file afterwards."""

    overlay: str
    path: Path
    thing: str
    before: str | None
    after: str
    text: str

    @property
    def changes(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, kw_only=True)
class Image:
    """What an overlay runs under the name that the manifests use."""

    name: str
    new_name: str
    digest: str

    @property
    def reference(self) -> str:
        return f"{self.new_name}@{self.digest}"


class Overlay:
    """One folder of `kustomize/overlays`, in the project at `root`."""

    def __init__(self, root: Path, name: str) -> None:
        self._root, self.name = root, name
        self.folder = OVERLAYS / name
        if not (root / self.folder / "kustomization.yaml").is_file():
            known = ", ".join(
                sorted(path.parent.name for path in (root / OVERLAYS).glob("*/kustomization.yaml"))
            )
            raise PromotionImpossible(f"there is no overlay {name}; there are {known or 'none'}")

    def image(self, name: str = IMAGE) -> Image:
        """Raises PromotionImpossible for an image that the overlay does not name, or names by tag."""
        entries = self._images()
        if name not in entries:
            raise PromotionImpossible(
                f"{self.name} has no image {name}; it has {', '.join(entries) or 'none'}"
            )
        entry = entries[name]
        if "digest" not in entry:
            raise PromotionImpossible(
                f"{self.name} runs {name} by tag ({entry.get('newTag', 'none')}): only a digest can be promoted"
            )
        return Image(name=name, new_name=str(entry.get("newName", name)), digest=str(entry["digest"]))

    def with_digest(self, digest: str, name: str = IMAGE) -> Edit:
        """The same overlay with another digest of this image."""
        if not DIGEST.fullmatch(digest):
            raise PromotionImpossible(
                f"{digest} is no digest: sha256: and 64 hexadecimal digits, as a registry says it; tags can move"
            )
        if digest == UNRELEASED:
            raise PromotionImpossible("a digest of zeros is no image")
        now = self.image(name).digest
        path = self.folder / "kustomization.yaml"
        text = _with_digest(self._read(path), name, digest)
        return Edit(overlay=self.name, path=path, thing=name, before=now, after=digest, text=text)

    def versions(self) -> dict[str, str]:
        """The version of each model that Git asks for; no line, no wish."""
        path = self.folder / "models.env"
        if not (self._root / path).is_file():
            raise PromotionImpossible(f"{self.name} has no models.env: it does not record versions")
        try:
            return read_versions(self._read(path), source=str(path))
        except VersionsInvalid as error:
            raise PromotionImpossible(str(error)) from error

    def namespace(self) -> str:
        """Where its objects live."""
        found = self._document().get("namespace")
        if not found:
            raise PromotionImpossible(f"{self.name} names no namespace")
        return str(found)

    def alias(self) -> str:
        """What its agent follows in the registry: MODEL_ALIAS of its settings, otherwise what the service's default is."""
        path = self.folder / "settings.env"
        text = self._read(path) if (self._root / path).is_file() else ""
        found = re.findall(r"^MODEL_ALIAS=(\S+)\s*$", text, flags=re.MULTILINE)
        return str(found[-1]) if found else PRODUCTION

    def with_version(self, model: str, version: str) -> Edit:
        """The same overlay with another version of this model."""
        self._expect_model(model)
        if not VERSION.fullmatch(version):
            raise PromotionImpossible(f"{version} is no version: a number from 1, as the registry counts")
        now = self.versions().get(model)
        path = self.folder / "models.env"
        text = with_version(self._read(path), model, version)
        return Edit(overlay=self.name, path=path, thing=model, before=now, after=version, text=text)

    def write(self, edit: Edit) -> None:
        (self._root / edit.path).write_text(edit.text, encoding="utf-8")

    def _expect_model(self, model: str) -> None:
        found = (self._root / "catalog").glob("*/definition.py")
        known = sorted(path.parent.name.replace("_", "-") for path in found)
        if model not in known:
            raise PromotionImpossible(f"the catalog declares no {model}; it declares {', '.join(known)}")

    def _images(self) -> dict[str, dict[str, Any]]:
        return {str(entry["name"]): entry for entry in self._document().get("images", ())}

    def _document(self) -> dict[str, Any]:
        return yaml.safe_load(self._read(self.folder / "kustomization.yaml")) or {}

    def _read(self, path: Path) -> str:
        return (self._root / path).read_text(encoding="utf-8")


def _with_digest(text: str, name: str, digest: str) -> str:
    """Replaces the digest of this image where it stands, and nothing else: two images may run the same bytes."""
    document = yaml.compose(text)
    images = _value(document, "images")
    assert isinstance(images, yaml.SequenceNode)
    entry = next(entry for entry in images.value if _value(entry, "name").value == name)
    old = _value(entry, "digest")
    return text[: old.start_mark.index] + digest + text[old.end_mark.index :]


def _value(node: yaml.Node | None, key: str) -> yaml.Node:
    assert isinstance(node, yaml.MappingNode)
    found: yaml.Node = next(value for name, value in node.value if name.value == key)
    return found
