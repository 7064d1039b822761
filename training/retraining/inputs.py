"""What a training is made of, as one digest: equal inputs give an equal model, so that nobody needs to train it again."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelkit.definition import ModelDefinition
from training.files import sha256_of


def inputs_digest(definition: ModelDefinition, *, data_hash: str, params: Mapping[str, Any]) -> str:
    """Prepared data, knobs, and the code of the model's folder. `params` are flat, as a card keeps them."""
    folder = Path(inspect.getfile(definition.build)).parent
    code = {str(path.relative_to(folder)): sha256_of(path) for path in sorted(folder.rglob("*.py"))}
    parts = json.dumps([data_hash, dict(params), code], sort_keys=True)
    return f"sha256:{hashlib.sha256(parts.encode()).hexdigest()}"
