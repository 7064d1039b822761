"""Wrong configuration stops at the door: both programs end at once with 2 and name the setting, never its value."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from serving.door import WRONG_SETTINGS
from tests.architecture.source_tree import ROOT

GOOD_KEY = "kJ4vQ9xTz2LmWc7RbN8yHs3FgD6pXaEo1UiVtY5w"
SERVICE, AGENT = "serving", "serving.agent"
AT_ONCE_SECONDS = 5  # a promise, and far from what it takes


class Wrong(NamedTuple):
    """One wrong setting among right ones. `value` must not be said again."""

    named: str
    value: str
    programs: tuple[str, ...] = (SERVICE, AGENT)
    setting: str = ""
    also: tuple[tuple[str, str], ...] = ()


CASES = {
    "no key": Wrong("JWT_SECRET_KEY", "", (SERVICE,)),
    "a short key": Wrong("JWT_SECRET_KEY", "hunter2hunter2", (SERVICE,)),
    "a key from a template": Wrong(
        "JWT_SECRET_KEY", "change-me-please-hunter2-0123456789-abcdef", (SERVICE,)
    ),
    "a key that is no secret": Wrong("JWT_SECRET_KEY", f"ssh-rsa {GOOD_KEY}", (SERVICE,)),
    "two keys": Wrong("JWT_SECRET_KEY_FILE", "/nowhere/hunter2"),
    "a key that is not mounted": Wrong(
        "JWT_SECRET_KEY_FILE", "/nowhere/hunter2", (SERVICE,), also=(("JWT_SECRET_KEY", ""),)
    ),
    "no policy": Wrong("AUTH_POLICY_FILE", "/nowhere/hunter2"),
    "no such environment": Wrong("SLIPWAY_ENV", "hunter2"),
    "no port": Wrong("API_PORT", "hunter2"),
    "no key of signed models": Wrong("MODEL_VERIFY_KEYS_FILE", "", also=(("REQUIRE_SIGNED_MODELS", ""),)),
    "one port for two": Wrong("METRICS_PORT", "8000", (SERVICE,)),
    "no such model": Wrong("MODELS", "", also=(("MODELS", "toaster"),)),
    "no such catalog": Wrong("CATALOG", "hunter2.models"),
    "no such source": Wrong("MODEL_SOURCE", "hunter2"),
    "no path": Wrong("MODEL_PATH", "", (SERVICE,), also=(("MODEL_SOURCE", "path"),)),
    "an empty path": Wrong("MODEL_PATH", "/nowhere/hunter2", (SERVICE,), also=(("MODEL_SOURCE", "path"),)),
    "no pins": Wrong("MODEL_VERSIONS", "", also=(("MODEL_SOURCE", "pinned"),)),
    "malformed pins": Wrong("MODEL_VERSIONS", "iris:hunter2", also=(("MODEL_SOURCE", "pinned"),)),
    "a model without a pin": Wrong(
        "basket", "iris=31337", setting="MODEL_VERSIONS", also=(("MODEL_SOURCE", "pinned"),)
    ),
    "pins that nobody follows": Wrong("MODEL_SOURCE=pinned", "iris=31337", setting="MODEL_VERSIONS"),
    "no database": Wrong("DATABASE_URL", "", also=(("DATABASE_URL", ""),)),
    "an empty file for the database": Wrong(
        "DATABASE_URL", "/dev/null", setting="DATABASE_URL_FILE", also=(("DATABASE_URL", ""),)
    ),
    "no address of a database": Wrong("DATABASE_URL", "hunter2"),
    "a database and its file": Wrong(
        "DATABASE_URL_FILE", "/dev/null", also=(("DATABASE_URL", "sqlite:///hunter2.db"),)
    ),
    "a secret that is not mounted": Wrong("REDIS_URL_FILE", "/nowhere/hunter2"),
    "a password from a template": Wrong("REDIS_URL", "redis://:changeme-hunter2@cache"),
    "no redis": Wrong("REDIS_URL", "https://:hunter2@cache"),
    "no place of features": Wrong("FEATURES_URL", "mysql://u:hunter2@db/x"),
    "no registry": Wrong("MLFLOW_TRACKING_URI", "http://hunter2:port"),
    "a registry in the open": Wrong("MLFLOW_TRACKING_URI", "http://mlflow.hunter2.com"),
    "a spool that cannot be": Wrong("SPOOL_DIR", "/proc/hunter2"),
}
EACH = [
    pytest.param(name, program, id=f"{name}, {program}")
    for name, wrong in CASES.items()
    for program in wrong.programs
]


@pytest.fixture(scope="module")
def endings(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[tuple[str, str], subprocess.CompletedProcess[str]]:
    """Two at a time: each takes as long as the imports do."""
    folder = tmp_path_factory.mktemp("door")
    runs = [(name, program) for name, wrong in CASES.items() for program in wrong.programs]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(runs, pool.map(lambda run: ended(folder, *run), runs), strict=True))


def ended(folder: Path, name: str, program: str) -> subprocess.CompletedProcess[str]:
    wrong = CASES[name]
    setting = wrong.setting or wrong.named
    environment = {
        "PATH": "/usr/bin:/bin",
        "JWT_SECRET_KEY": GOOD_KEY,
        "DATABASE_URL": "postgresql://slipway@db/slipway",
        "REQUIRE_SIGNED_MODELS": "false",
        **{
            variable: str(folder / variable)
            for variable in ("SPOOL_DIR", "METRICS_DIR", "MODEL_STORE_DIR", "DRAIN_FILE")
        },
        **({setting: wrong.value} if wrong.value or setting == "JWT_SECRET_KEY" else {}),
        **dict(wrong.also),
    }
    return subprocess.run(
        [sys.executable, "-m", program],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=AT_ONCE_SECONDS * 4,
    )


@pytest.mark.parametrize(("name", "program"), EACH)
def test_a_wrong_setting_ends_the_program_by_its_name(
    endings: dict[tuple[str, str], subprocess.CompletedProcess[str]], name: str, program: str
) -> None:
    wrong, done = CASES[name], endings[name, program]
    assert (done.returncode, done.stdout) == (WRONG_SETTINGS, "")
    assert wrong.named in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not wrong.value or wrong.value not in done.stderr
    assert "hunter2" not in done.stderr


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    wrong = {"SLIPWAY_ENV": "staging", "API_PORT": "hunter2", "WORKERS": "hunter2", "PATH": "/usr/bin:/bin"}
    for program in (SERVICE, AGENT):
        done = subprocess.run(
            [sys.executable, "-m", program], cwd=ROOT, env=wrong, capture_output=True, text=True, check=False
        )
        assert done.returncode == WRONG_SETTINGS
        assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["API_PORT", "WORKERS"]
        assert "hunter2" not in done.stderr
