"""Who approved a version: a `model-signing` signature over every file of its servable, which names the version it is for.

servable.sig, in the servable's folder or beside it, is a Sigstore bundle. The subject of its statement is
`<registered name>@<number>`: a signature cannot be moved to another version with the same content. The library takes seconds
to import; whoever signs or verifies does it, and never the process that answers requests.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from modelkit.errors import UnsignedServable, UntrustedServable
from modelkit.servable import SIGNATURE, WRITTEN

LARGEST_SIGNATURE = 64 * 1024
FINGERPRINT = 16
_PUBLIC_KEY = re.compile(rb"-----BEGIN PUBLIC KEY-----\s.+?\s-----END PUBLIC KEY-----", re.DOTALL)


def subject_of(registry_name: str, number: str) -> str:
    return f"{registry_name}@{number}"


def signature_of(folder: Path) -> Path | None:
    """The signature in the folder, or beside it where a version's artifacts were copied as the registry lays them out."""
    places = (folder / SIGNATURE, folder.parent / SIGNATURE if folder.name == "servable" else None)
    return next((place for place in places if place is not None and place.is_file()), None)


def public_keys(pem: bytes) -> list[bytes]:
    """Each key of a file that may hold several, while one follows another. Raises ValueError for a file without any."""
    found = _PUBLIC_KEY.findall(pem)
    if not found or b"PRIVATE KEY" in pem:
        raise ValueError("holds no public keys in PEM, or not only such")
    return [key + b"\n" for key in found]


def fingerprint(key: bytes) -> str:
    """As pointers, tags and log lines name a public key, as `public_keys` finds it."""
    return hashlib.sha256(key).hexdigest()[:FINGERPRINT]


def sign(folder: Path, private_key: bytes, subject: str) -> bytes:
    """The signature of a servable's files. Raises ValueError for a key that is none."""
    from model_signing import signing

    with tempfile.TemporaryDirectory() as scratch:
        named, written = Path(scratch) / subject, Path(scratch) / SIGNATURE
        named.mkdir()
        for name in WRITTEN:
            shutil.copyfile(folder / name, named / name)
        key = Path(scratch) / "key"  # the library takes paths; the folder is its owner's alone
        key.touch(0o600)
        key.write_bytes(private_key)
        config: Any = signing.Config()  # type: ignore[no-untyped-call]
        config.use_elliptic_key_signer(private_key=key)
        config.set_hashing_config(_hashing()).sign(named, written)
        return written.read_bytes()


class Verified(NamedTuple):
    """Which version a signature is for, and the key that made it."""

    subject: str
    key: bytes


class SignatureCheck:
    """Verifies with any of several public keys, which are read once."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Raises ValueError for a key that is none of an elliptic curve."""
        from model_signing import verifying

        self._keys: list[tuple[bytes, Any]] = []
        for key in keys:
            with tempfile.NamedTemporaryFile() as file:  # the library takes paths
                file.write(key)
                file.flush()
                config: Any = verifying.Config()  # type: ignore[no-untyped-call]
                config.use_elliptic_key_verifier(public_key=Path(file.name))
            self._keys.append((key, config))

    def verify(self, folder: Path, is_for: Callable[[str], bool]) -> Verified:
        """Reads the folder's files to hash them, no more. Raises UnsignedServable or UntrustedServable."""
        signature = signature_of(folder)
        if signature is None:
            raise UnsignedServable("it is not signed")
        if signature.stat().st_size > LARGEST_SIGNATURE:
            raise UntrustedServable("its signature is too large to be one")
        reasons: dict[str, None] = {}
        for key, config in self._keys:
            hashing = _hashing(is_for)
            try:
                config.set_hashing_config(hashing).verify(folder, signature)
            except Exception as error:  # the library's own, pydantic's and cryptography's share no base
                reasons[_said(error)] = None
            else:
                return Verified(hashing.subject, key)
        raise UntrustedServable(f"its signature does not hold: {'; '.join(reasons) or 'no key is known'}")


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, ValueError) and text.startswith("Key mismatch"):
        return "it was made with another key"
    if isinstance(error, ValueError) and text.startswith("Signature mismatch"):
        return text.partition(": Expected")[0].removeprefix("Signature mismatch: ").strip('[]"')[:200]
    return f"it cannot be verified ({type(error).__name__})"


def _hashing(is_for: Callable[[str], bool] | None = None) -> Any:
    """How files become a statement; with `is_for`, one whose comparison with a signed one also judges the subject, which
    the library by itself leaves out. A subclass, because the library is imported late."""
    from model_signing import hashing

    class Bound(hashing.Config):
        subject = ""

        def hash(self, model_path: Any, *, files_to_hash: Any = None) -> Any:
            found = super().hash(model_path, files_to_hash=files_to_hash)
            return found if is_for is None else _Judged(found, self)

        def judge(self, subject: str) -> None:
            self.subject = subject
            if is_for is not None and not is_for(subject):
                raise ValueError(f"Signature mismatch: it is that of {subject}")

    bound: Any = Bound()  # type: ignore[no-untyped-call]
    return bound.set_ignored_paths(paths=[SIGNATURE], ignore_git_paths=False)


class _Judged:
    """What was found in a folder, to be compared with what was signed."""

    def __init__(self, found: Any, hashing: Any) -> None:
        self._found, self._hashing = found, hashing

    def __eq__(self, signed: object) -> bool:
        if not isinstance(signed, type(self._found)):
            return False
        if self._found != signed:
            return False
        self._hashing.judge(signed.model_name)
        return True

    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)
