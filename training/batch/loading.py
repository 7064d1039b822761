"""From a version's bytes to the function of a batch, on any machine of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from modelkit.definition import ModelDefinition
from modelkit.servable import MODEL, load_servable
from training.batch.answers import Answerer
from training.batch.entities import EntityReader
from training.batch.rows import TableReader
from training.batch.scoring import Scorer
from training.batch.version_files import VersionFiles
from training.batch.wide import widen


def load_scorer(
    definition: ModelDefinition, version: VersionFiles, *, is_text: bool, features: bytes | None = None
) -> Scorer:
    """Verified as serving verifies it. Raises ServableError for a version that must not answer.

    `features` are those of the entities that rows name; without them rows hold the view's fields themselves.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, content in version.files.items():
            (Path(folder) / name).write_bytes(content)
        servable = load_servable(Path(folder), definition, digest=version.digest)
    answerer = Answerer(
        definition,
        widen(servable.compiled, version.files[MODEL]),
        version=version.version,
        outputs=len(servable.contract.golden_outputs[0]),
    )
    if features is not None:
        return Scorer(EntityReader(definition, features, is_text=is_text), answerer)
    return Scorer(TableReader(definition.row, is_text=is_text), answerer)
