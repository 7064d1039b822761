"""`python -m auth.key_check` says what the service would make of a file of keys, and nothing of the keys themselves."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from auth.key_check import main
from auth.keys import SecretKeys
from auth.pem_keys import PemKeys
from tests.signing_keys import pem, shared_secret


def test_keys_are_listed_by_name_with_their_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kids = [PemKeys(pem(kind), setting="X").signing_key().kid for kind in ("p-256", "ed25519", "rsa-2048")]
    path = tmp_path / "keys"
    path.write_text(f"revoked {kids[0]}\n" + pem("p-256") + pem("ed25519") + pem("rsa-2048"))
    assert main([str(path)]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()[1:]] == [
        [kids[0], "ES256", "revoked"],
        [kids[1], "EdDSA", "signs"],
        [kids[2], "RS256", "verifies"],
    ]


def test_shared_secrets_may_be_piped_and_are_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    secret = shared_secret()
    assert main(["-"], typed=io.StringIO(secret + "\n")) == 0
    said = capsys.readouterr().out
    assert SecretKeys(secret, setting="X").signing_key().kid in said
    assert secret not in said


@pytest.mark.parametrize(
    "text", ["", "short", pem("p-384"), None], ids=["empty", "short", "curve", "no file"]
)
def test_what_the_service_would_refuse_is_refused(
    tmp_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys"
    if text is not None:
        path.write_text(text)
    assert main([str(path)]) == 1
    assert str(path) in capsys.readouterr().err
