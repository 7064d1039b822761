"""What `python -m deploy image ACTION` does, one function each: finds the engine, calls the parts, says what came of it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from deploy.errors import ImageRefused
from deploy.image import building, contents, sbom, sizes
from deploy.image.engine import needed_engine, some_engine
from deploy.image.pushing import push
from deploy.image.settings import ImageSettings
from deploy.image.source import source_of

PROJECT = Path(__file__).resolve().parents[2]
STARTED = time.monotonic()


def say(line: str) -> None:
    """With the seconds since the program started: builds are long, and it shows where they are."""
    sys.stderr.write(f"{time.monotonic() - STARTED:4.0f} s  {line}\n")
    sys.stderr.flush()


def answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def build_image(options: argparse.Namespace) -> int:
    settings = ImageSettings()
    engine = needed_engine(settings.backend)
    builder = building.Builder(project=PROJECT, settings=settings, engine=engine, say=say)
    answer(builder.training() if options.training else builder.serving())
    return 0


def size_image(options: argparse.Namespace) -> int:
    settings, found = ImageSettings(), _contents(options.image)
    answer(sizes.table(sizes.shares(found), budget_mb=settings.image_budget_mb))
    if found.size > settings.image_budget_mb * sizes.MEGA:
        raise ImageRefused(f"{found.size / sizes.MEGA:.0f} MB are more than {settings.image_budget_mb}")
    return 0


def sbom_image(options: argparse.Namespace) -> int:
    settings, found = ImageSettings(), _contents(options.image)
    name, _, version = _reference(options.image).rpartition(":")
    text = sbom.cyclonedx(found, image=name, version=version, epoch=settings.source_date_epoch)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text)
    lock = "training" if name.endswith(building.TRAINING_SUFFIX) else "serving"
    differences = sbom.against_lock(found, (PROJECT / "requirements" / f"{lock}.txt").read_text())
    if differences:
        raise ImageRefused(f"the image is not what requirements/{lock}.txt says: {'; '.join(differences)}")
    installed, debian = len(list(sbom.distributions(found))), len(list(sbom.debian_packages(found)))
    answer(f"{options.out}: {installed} Python distributions, as locked, and {debian} Debian packages")
    return 0


def digest_image(options: argparse.Namespace) -> int:
    answer(_contents(options.image).digest)
    return 0


def compare_image(options: argparse.Namespace) -> int:
    first, second = (_contents(image) for image in options.images)
    found = contents.differences(first, second)
    if not found:
        answer(f"equal: {first.digest}")
        return 0
    answer("\n".join(found))
    raise ImageRefused(f"{len(found)} paths differ")


def push_image(options: argparse.Namespace) -> int:
    settings = ImageSettings()
    engine = needed_engine(settings.backend)
    answer(push(_reference(options.image), engine, registry=settings.registry))
    return 0


def models_image(options: argparse.Namespace) -> int:
    engine = needed_engine(ImageSettings().backend)
    answer(building.carried_versions(_reference(options.image), engine))
    return 0


def test_image(options: argparse.Namespace) -> int:
    from deploy.image.production_test import try_image
    from deploy.image.training_test import try_training_image

    settings = ImageSettings()
    with some_engine(settings.backend) as engine:
        builder = building.Builder(project=PROJECT, settings=settings, engine=engine, say=say)
        report = (
            try_training_image(engine, options.image or builder.training())
            if options.training
            else try_image(builder, options.image)
        )
    answer(report.table())
    if report.failures:
        raise ImageRefused(f"{len(report.failures)} of {len(report.checks)} checks failed")
    return 0


def run_image(options: argparse.Namespace) -> int:
    from deploy.image.running import serve

    settings = ImageSettings()
    return serve(_reference(options.image), needed_engine(settings.backend), say)


def _reference(given: str | None) -> str:
    settings = ImageSettings()
    return given or building.reference_of(settings, source_of(PROJECT))


def _contents(given: str | None) -> contents.Contents:
    engine = needed_engine(ImageSettings().backend)
    return contents.contents_of(_reference(given), engine=engine.program, variables=engine.variables)
