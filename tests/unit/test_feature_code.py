"""The digest of feature code: it sees what a model's features are built by, wherever that stands, and nothing else."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from modelkit.definition import load_catalog
from modelkit.feature_code import feature_code_digest
from tests.architecture.source_tree import ROOT

CODE = """
from modelkit.feature_code import feature_code_digest
from shop.van.features import build
print(feature_code_digest(build))
"""


def digest_in(folder: Path) -> str:
    """In a process of its own: what was imported stays imported."""
    path = os.pathsep.join([str(ROOT), str(folder)])
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_a_change_of_shared_code_is_a_change_of_the_model(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/van/__init__.py": "",
        "shop/van/features.py": "from shop._roads.features import build_all\ndef build(c): return build_all(c)\n",
        "shop/_roads/__init__.py": "",
        "shop/_roads/features.py": "from shop._roads import towns\ndef build_all(c): return c\n",
        "shop/_roads/towns.py": "TOWNS = 1\n",
        "shop/_roads/weather.py": "RAIN = 1\n",
    }
    write(tmp_path, files)
    first = digest_in(tmp_path)
    write(tmp_path, {"shop/_roads/weather.py": "RAIN = 2\n"})
    assert digest_in(tmp_path) == first
    write(tmp_path, {"shop/_roads/towns.py": "TOWNS = 2\n"})
    assert digest_in(tmp_path) != first


def test_where_nothing_is_shared_it_is_the_digest_of_the_file() -> None:
    definition = load_catalog()["iris"]
    text = (ROOT / "catalog" / "iris" / "features.py").read_bytes()
    assert feature_code_digest(definition.build) == hashlib.sha256(text).hexdigest()


def test_models_that_share_code_have_digests_of_their_own() -> None:
    catalog = load_catalog()
    digests = {feature_code_digest(definition.build) for definition in catalog.values()}
    assert len(digests) == len(catalog)
