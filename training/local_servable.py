"""A servable on disk, named by its folder where something is wrong with it: the folder is what somebody mistyped."""

from __future__ import annotations

from pathlib import Path

from modelkit.definition import ModelDefinition
from modelkit.errors import ServableError
from modelkit.servable import MANIFEST, Servable, load_servable
from training.errors import NotTrained


def load_local(folder: Path, definition: ModelDefinition) -> Servable:
    """Verified as serving will do it. Raises NotTrained where there is none, ServableError where it does not fit."""
    if not (folder / MANIFEST).is_file():
        raise NotTrained(f"{folder} holds no servable: the stage compile of {definition.name} makes one")
    try:
        return load_servable(folder, definition)
    except ServableError as error:
        raise type(error)(f"{folder}: {error}") from error
