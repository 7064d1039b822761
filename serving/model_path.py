"""What MODEL_PATH holds: a folder for each model, or one servable, as KServe's storage initializer leaves it.

<path>/contract.json             one servable, of the model that its contract names
<path>/servable/contract.json    the same, as the artifacts of a registered version are laid out
<path>/<model>/contract.json     a servable for each model
<path>/<model>/servable/…        the same, as training leaves them
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from modelkit.servable import CONTRACT

SERVABLE = "servable"


class _Named(msgspec.Struct):
    """All that has to be known of a contract here."""

    model: str


class ModelPath:
    """Where the servables lie; looked at again whenever it is asked, because a volume may be filled late."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def only_model(self) -> str | None:
        """The model's name where the path is one servable. Raises ValueError when its contract does not say it."""
        folder = _servable_in(self._root)
        if folder is None:
            return None
        try:
            return msgspec.json.decode((folder / CONTRACT).read_bytes(), type=_Named).model
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            raise ValueError("MODEL_PATH holds a servable whose contract cannot be read") from None

    def folder(self, model: str) -> Path | None:
        """The model's servable, unverified; None where there is none."""
        try:
            only = self.only_model()
        except ValueError:
            return None
        if only is None:
            return _servable_in(self._root / model)
        return _servable_in(self._root) if only == model else None


def _servable_in(folder: Path) -> Path | None:
    return next((place for place in (folder, folder / SERVABLE) if (place / CONTRACT).is_file()), None)
