"""Writing found knobs into `params.yaml` as a reviewer wants to see it: only the lines that change, comments kept."""

from __future__ import annotations

import difflib
import io
import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import yaml as plain
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.util import load_yaml_guess_indent

from training.errors import SearchImpossible
from training.params import PARAMS
from training.search.knobs import merged

WIDE = 4096  # no line is ever folded


class _Representer(RoundTripRepresenter):
    """Small floats as every reader of YAML takes them: PyYAML reads `1e-05` as text, `1.0e-05` as a number."""

    def number(self, value: float) -> ScalarNode:
        text = repr(value)
        text = text if "." in text else text.replace("e", ".0e")
        return self.represent_scalar("tag:yaml.org,2002:float", text)


_Representer.add_representer(float, _Representer.number)


def edited(text: str, model: str, knobs: Mapping[str, Any]) -> str:
    """The file's text with `knobs` in the `train` block of one model. Lines of everything else stay as they are."""
    _, indent, offset = load_yaml_guess_indent(text)
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes, yaml.width = True, WIDE
    yaml.indent(mapping=2, sequence=indent or 2, offset=offset or 0)
    document = yaml.load(text)
    wanted = merged(document["models"][model]["train"], knobs)
    _set(document["models"][model]["train"], knobs)
    written = io.StringIO()
    yaml.dump(document, written)
    if plain.safe_load(written.getvalue())["models"][model]["train"] != wanted:
        raise SearchImpossible(f"the knobs of {model} do not survive being written to YAML: {dict(knobs)}")
    return written.getvalue()


def write_knobs(model: str, knobs: Mapping[str, Any], path: Path = PARAMS, *, dry: bool = False) -> str:
    """The change as a unified diff, after it was made, unless `dry`. Empty: the file says so already."""
    before = path.read_text()
    after = edited(before, model, knobs)
    if after != before and not dry:
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(after)
        os.replace(beside, path)
    return "".join(_unified(before.splitlines(keepends=True), after.splitlines(keepends=True), path.name))


def _unified(before: list[str], after: list[str], name: str) -> Iterator[str]:
    """As `difflib.unified_diff`, which in files of 200 lines takes lines that occur often for changed ones."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes()):
        (_, old, _, new, _), (_, _, old_end, _, new_end) = group[0], group[-1]
        yield "" if number else f"--- a/{name}\n+++ b/{name}\n"
        yield f"@@ -{old + 1},{old_end - old} +{new + 1},{new_end - new} @@\n"
        for kind, begin, end, new_begin, new_finish in group:
            if kind == "equal":
                yield from (f" {line}" for line in before[begin:end])
                continue
            yield from (f"-{line}" for line in before[begin:end])
            yield from (f"+{line}" for line in after[new_begin:new_finish])


def _set(block: MutableMapping[str, Any], knobs: Mapping[str, Any]) -> None:
    for name, value in knobs.items():
        if isinstance(value, Mapping) and isinstance(block.get(name), MutableMapping):
            _set(block[name], value)
        elif name not in block or block[name] != value:
            block[name] = dict(value) if isinstance(value, Mapping) else value
