"""`aws` as the hooks use it: parameters are files, and the registry's password is a word."""

from __future__ import annotations

import sys

from tests.fakes.ec2_host.state import HostState


def main(state: HostState, arguments: list[str]) -> int:
    match arguments:
        case ["ecr", "get-login-password"]:
            sys.stdout.write("a-token-of-ecr\n")
            return 0
        case ["ssm", "get-parameter", "--with-decryption", "--name", name, *_]:
            return _parameter(state, name)
    return 64


def _parameter(state: HostState, name: str) -> int:
    path = state.parameters / name.rpartition("/")[2]
    if path.exists():
        sys.stdout.write(path.read_text() + "\n")
        return 0
    reason = "AccessDeniedException" if (state.folder / "denied").exists() else "ParameterNotFound"
    sys.stderr.write(f"An error occurred ({reason}) when calling the GetParameter operation\n")
    return 254
