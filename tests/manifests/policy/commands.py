"""Rules about what containers are told to run: parsed by the programs' own parsers, and every file that is named is there."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import k8s.__main__ as k8s_program
import records.__main__ as records_program
import serving.agent.__main__ as agent_program
from auth.commands.parser import make_parser
from tests.manifests.pods import Pod
from tests.manifests.policy.model import Finding, Rendered, Rule, found, ours, rule
from training import cli as training_program

CALL = re.compile(r"python -m ([a-z0-9_.]+)([^|&;\n]*)")
PLACE = re.compile(r"/etc/[\w./-]+")
# Of the verbs on a cluster, those that a pod can run.
IN_THE_IMAGE = {"smoke": "k8s.commands.smoke", "dev-secret": "k8s.commands.dev_secret"}
MLFLOW_OPTIONS = {"--host", "--port", "--workers", "--serve-artifacts", "--backend-store-uri"}


def _k8s_parser() -> argparse.ArgumentParser:
    return k8s_program._parser({verb: importlib.import_module(path) for verb, path in IN_THE_IMAGE.items()})


def _training_parser() -> argparse.ArgumentParser:
    return training_program._parser(training_program.command_modules())


PARSERS: Mapping[str, Callable[[], argparse.ArgumentParser]] = {
    "auth": lambda: make_parser(None),
    "k8s": _k8s_parser,
    "records": records_program._parser,
    "serving.agent": agent_program._parser,
    "training": _training_parser,
}


@cache
def parser_of(program: str) -> argparse.ArgumentParser:
    parser = PARSERS[program]()
    _no_abbreviations(parser)
    return parser


def _no_abbreviations(parser: argparse.ArgumentParser) -> None:
    """Half an option is one until a second begins with the same letters."""
    parser.allow_abbrev = False
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _no_abbreviations(below)


def refusal(program: str, arguments: Sequence[str]) -> str:
    """What the program would say to these arguments; nothing if it takes them."""
    if program == "serving":
        return "" if not arguments else f"takes no {arguments}"
    if program == "mlflow":
        options = {each for each in arguments if each.startswith("-")}
        return "" if arguments[:1] == ["server"] and options <= MLFLOW_OPTIONS else f"mlflow {arguments}"
    if program not in PARSERS:
        return f"there is no program {program}"
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            parser_of(program).parse_args(list(arguments))
    except SystemExit:
        return said.getvalue().strip().splitlines()[-1]
    return ""


def calls(rendered: Rendered, container: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Programs of ours that a container runs: by its arguments, or from a shell's text."""
    values = rendered.environment(container)
    given = [_filled(each, values) for each in container.get("args") or ()]
    if "command" not in container:
        yield (given or [""])[0], given[1:]
        return
    for program, rest in CALL.findall(" ".join([*container["command"], *given]).replace("\\\n", " ")):
        if "$" not in rest:
            yield program, shlex.split(rest)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda name: values.get(name[1], name[0]), text)


@rule(
    "commands-parse",
    "a command that its program refuses is a Job that fails at every sync, or a pod that never starts",
)
def commands_parse(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        if not ours(container):
            continue
        for program, arguments in calls(rendered, container):
            if said := refusal(program, arguments):
                yield found(pod, f"{program} {shlex.join(arguments)}: {said}", container)


@rule(
    "named-files",
    "a script, a key or a configuration that no volume brings is missed when the pod starts, and not before",
)
def named_files(rendered: Rendered) -> Iterator[Finding]:
    for pod, container in rendered.containers():
        told = " ".join([*container.get("command", ()), *container.get("args", ())])
        for path in sorted(set(PLACE.findall(told))):
            if not brought(rendered, pod, container, path):
                yield found(pod, f"its command names {path}, which nothing mounts", container)


def brought(rendered: Rendered, pod: Pod, container: dict[str, Any], path: str) -> bool:
    """Whether a volume has the file, as far as the render says what is in it."""
    folder, _, name = path.rpartition("/")
    mount = next((m for m in container.get("volumeMounts", ()) if m["mountPath"] == folder), None)
    volume = pod.volume(mount["name"]) if mount else None
    if volume is None:
        return False
    source = volume.get("secret") or volume.get("configMap") or {}
    if "items" in source:
        return name in {item["path"] for item in source["items"]}
    return "configMap" not in volume or name in rendered.configuration(volume["configMap"]["name"])


RULES: tuple[Rule, ...] = (commands_parse, named_files)
