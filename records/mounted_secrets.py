"""Secrets as mounted files: a setting NAME may come from the file that NAME_FILE names, so that no environment holds it.

Both names at once are refused, because one of them would be ignored; what is wrong is said by name, never by value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any


def with_mounted_secrets(
    values: Mapping[str, Any], names: Collection[str], *, overruling: Collection[str] = ()
) -> dict[str, Any]:
    """`values` of settings, by field, with what mounted files hold; an empty file means that the setting is unset.

    Of `overruling` a file that holds something goes before the setting itself, which then is only a default.
    Raises ValueError for a file that cannot be read, and for two sources of one setting.
    """
    filled = dict(values)
    for name in names:
        path = values.get(f"{name}_file")
        if not path:
            continue
        setting = name.upper()
        if values.get(name) and name not in overruling:
            raise ValueError(f"set {setting} or {setting}_FILE, not both")
        if secret := read_secret(Path(path), setting=f"{setting}_FILE"):
            filled[name] = secret
    return filled


def read_secret(path: Path, *, setting: str) -> str:
    """One line, without the space around it; empty where the file is. Raises ValueError that names the setting."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"{setting} cannot be read") from None
    if len(secret.splitlines()) > 1:
        raise ValueError(f"{setting} holds more than one line")
    return secret
