"""What a training is made of, as one digest: equal inputs give an equal model, so that nobody needs to train it again."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelkit.definition import ModelDefinition
from training.files import sha256_of


def inputs_digest(definition: ModelDefinition, *, data_hash: str, params: Mapping[str, Any]) -> str:
    """Prepared data, knobs, and the code of the model's folder and of what it shares. `params` are flat, as a card keeps them."""
    folder = Path(inspect.getfile(definition.build)).parent
    files = sorted(file for each in (folder, *_shared(folder)) for file in each.rglob("*.py"))
    code = {str(file.relative_to(folder.parent)): sha256_of(file) for file in files}
    parts = json.dumps([data_hash, dict(params), code], sort_keys=True)
    return f"sha256:{hashlib.sha256(parts.encode()).hexdigest()}"


def _shared(folder: Path) -> list[Path]:
    """Folders beside the model's that its code names: those with a leading underscore hold what several models share."""
    code = "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.py")))
    named = set(re.findall(rf"\b{re.escape(folder.parent.name)}\.(_\w+)", code))
    return [folder.parent / name for name in sorted(named) if (folder.parent / name).is_dir()]
