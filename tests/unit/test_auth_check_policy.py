"""`python -m auth check-policy`: what an operator sees before a policy is rolled out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auth.__main__ import main

GOOD = (
    '[[issuers]]\nname = "corp"\nissuer = "https://id.example.com"\ndiscovery = true\n'
    '[[grants]]\nissuer = "corp"\nsubject = "ada"\nscopes = ["predict"]\n'
    "[[limits]]\nper_second = 5\n"
)


def test_a_good_policy_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(GOOD)
    assert main(["check-policy", str(path)]) == 0
    told = capsys.readouterr().out
    assert "corp" in told
    assert "limits: 1" in told
    assert main(["check-policy", str(path), "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["grants"] == 1


@pytest.mark.parametrize("text", ["[[issuer]]\n", None], ids=["wrong", "absent"])
def test_another_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None) -> None:
    path = tmp_path / "policy.toml"
    if text is not None:
        path.write_text(text)
    assert main(["check-policy", str(path)]) == 1
    assert str(path) in capsys.readouterr().err
