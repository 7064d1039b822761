"""Asks the service with an example of every model, and checks code, structure, value, cache and refusals.

With `--url` no cluster is needed: so it runs as a Job after a deployment. Without, it goes through a port-forward to one
of the service's pods. The token is from `--token-file`, SLIPWAY_TOKEN, or signed here for 60 s: with `--jwt-key-file`, or
with `--sign-from-secret` by the key in the Secret slipway-secrets, for whoever may read that.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from k8s.errors import Misused, Unreachable
from k8s.report import Report, failed
from k8s.smoke.answers import problem, unready_reasons
from k8s.smoke.checks import Plan, smoke
from k8s.smoke.credentials import Credentials, token
from k8s.smoke.endpoint import Endpoint, HttpEndpoint
from k8s.terminal import Terminal
from modelkit.definition import ModelDefinition, load_catalog

HELP = "ask the service with every model's example"
TIMEOUT_SECONDS = 120.0
CALL_SECONDS = 10.0
RETRY_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", default="", help="of the service, such as http://slipway:8000")
    parser.add_argument(
        "--selector", "-l", default="", help="without --url: labels of the pods to ask one of"
    )
    parser.add_argument("--model", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--expect", action="append", default=[], metavar="MODEL=VERSION")
    parser.add_argument("--requests", type=int, default=20, help="per model, for the p95; 0: none")
    parser.add_argument("--p95-ms", type=float, default=None, help="warn above this")
    parser.add_argument("--no-cache", action="store_true", help="the service has its cache switched off")
    parser.add_argument("--catalog", default="catalog", help="package with the models' declarations")
    add_credentials(parser)


def add_credentials(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--token-file", type=Path, default=None)
    parser.add_argument(
        "--jwt-key-file",
        type=Path,
        default=None,
        help="signs a token of 60 s with this key; for an empty jwt-secret-key with jwt-signing-key beside it",
    )
    parser.add_argument(
        "--sign-from-secret",
        action="store_true",
        help="signs one with the key in the Secret slipway-secrets, which you must be allowed to read",
    )


def credentials(options: argparse.Namespace) -> Credentials:
    """The files come first: then nothing is asked for."""
    given = Credentials(token_file=options.token_file, jwt_key_file=options.jwt_key_file)
    if not options.sign_from_secret or options.token_file or options.jwt_key_file:
        return given
    try:
        from k8s.api.signing_keys import signing_keys
    except ImportError:  # in the image
        raise Misused("--sign-from-secret is not for a pod, which mounts the key: --jwt-key-file") from None
    return Credentials(signing_keys=signing_keys(options))


def run(options: argparse.Namespace) -> Report:
    given = credentials(options)
    if not token(given, options.settings):
        raise Misused("no token: --sign-from-secret, --token-file, --jwt-key-file or SLIPWAY_TOKEN")
    expected, catalog = expectations(options.expect), declared(options.catalog)
    with _endpoint(options) as endpoint:
        late = wait_until_ready(endpoint, options.terminal, seconds=options.timeout)
        if late:
            never = failed("ready", late, "", "python -m k8s diagnose")
            return Report(
                verb="smoke", subject=endpoint.name, conclusion="never became ready", findings=(never,)
            )
        plan = Plan(
            token=token(given, options.settings),  # signed only now: waiting may take longer than it lives
            requests=options.requests,
            expected=expected,
            needs_cache=not options.no_cache,
            slowest_p95_ms=options.p95_ms,
        )
        definitions = chosen(catalog, options.model or served(endpoint, plan.token))
        found, table = smoke(endpoint, definitions, plan)
    findings = tuple(found)
    bad = sum(finding.severity == "failed" for finding in findings)
    conclusion = f"{bad} of {len(findings)} checks failed" if bad else f"all {len(findings)} checks passed"
    return Report(
        verb="smoke", subject=endpoint.name, conclusion=conclusion, findings=findings, tables=(table,)
    )


@contextmanager
def _endpoint(options: argparse.Namespace) -> Iterator[Endpoint]:
    if options.url:
        with HttpEndpoint(options.url, timeout_seconds=CALL_SECONDS) as endpoint:
            yield endpoint
        return
    try:
        from k8s.forwarding import any_ready_pod
    except ImportError:  # in the image
        raise Misused(
            "--url is needed here: ways through the cluster are in the project, not in the image"
        ) from None
    with any_ready_pod(options, options.selector) as endpoint:
        yield endpoint


def expectations(pairs: Sequence[str]) -> dict[str, str]:
    split = {name: version for name, _, version in (pair.partition("=") for pair in pairs)}
    if not all(name and version for name, version in split.items()):
        raise Misused("--expect is MODEL=VERSION, such as iris=3")
    return split


def declared(package: str) -> dict[str, ModelDefinition]:
    try:
        return load_catalog(package)
    except (ImportError, ValueError, TypeError, AttributeError) as error:
        raise Misused(f"--catalog {package}: no package with models ({error})") from None


class _Name(msgspec.Struct, frozen=True):
    name: str


class _Served(msgspec.Struct, frozen=True):
    models: tuple[_Name, ...] = ()


def served(endpoint: Endpoint, bearer: str) -> tuple[str, ...]:
    """The models that the service says it has; none when the token may not ask. Raises Unreachable for another answer."""
    answer = endpoint.ask("GET", "/models", token=bearer)
    if answer.status != 200:
        return ()
    try:
        return tuple(one.name for one in msgspec.json.decode(answer.body, type=_Served).models)
    except msgspec.DecodeError as error:
        raise Unreachable(f"GET {endpoint.name}/models: not a list of models ({error})") from None


def chosen(catalog: dict[str, ModelDefinition], names: Sequence[str]) -> list[ModelDefinition]:
    """Those named; all of the catalog when none is."""
    if unknown := set(names) - set(catalog):
        raise Misused(f"no such model: {', '.join(sorted(unknown))} (there are {', '.join(catalog)})")
    return [catalog[name] for name in names or catalog]


def wait_until_ready(endpoint: Endpoint, terminal: Terminal, *, seconds: float) -> str:
    """Empty as soon as the service says it is ready; otherwise what it said last. Raises Unreachable if nobody answered."""
    deadline = time.monotonic() + seconds
    said = ""
    while True:
        try:
            answer = endpoint.ask("GET", "/readyz")
            if answer.status == 200:
                return ""
            reasons = unready_reasons(answer)
            last = "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or problem(answer)
        except Unreachable as error:
            if time.monotonic() + RETRY_SECONDS > deadline:
                raise
            last = str(error)
        if last != said:
            terminal.say(f"waiting: {last}")
            said = last
        if time.monotonic() + RETRY_SECONDS > deadline:
            return last
        time.sleep(RETRY_SECONDS)
