"""Which models of the catalog this deployment serves, from which versions, and which features they look up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from modelkit.definition import FeatureView, ModelDefinition, load_catalog
from serving.challengers import (
    PINNED_CHALLENGER,
    ChallengerSource,
    PathChallengers,
    StoredChallengers,
)
from serving.model_path import ModelPath
from serving.model_store import ModelStore
from serving.pins import parse_pins, read_pins, refuse_unpinned
from serving.redaction import Redaction, parse_redaction
from serving.settings import ModelSource, Settings

# The pointers of pinned versions stand beside those of an alias: after a change of mode neither is taken for the other.
PINNED = "pinned"
_PACKAGE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def served_models(settings: Settings) -> dict[str, ModelDefinition]:
    """By name: MODELS, or the one model of a MODEL_PATH that is one servable, or the whole catalog.

    Raises ValueError for a name that the catalog does not have.
    """
    catalog = _catalog(settings.catalog)
    names = settings.model_names or _only_model(settings) or tuple(catalog)
    asked = {*names, *((settings.default_model,) if settings.default_model else ())}
    if unknown := sorted(asked - set(catalog)):
        raise ValueError(
            f"MODELS, DEFAULT_MODEL or MODEL_PATH names {', '.join(unknown)}, which the catalog does not have"
        )
    return {name: catalog[name] for name in names}


def pinned_versions(settings: Settings) -> dict[str, str]:
    """The version of each served model that is pinned; none in other modes. Raises ValueError for a model without."""
    if settings.model_source is not ModelSource.PINNED:
        return {}
    served = served_models(settings)
    pins = read_pins(settings.model_versions, settings.model_versions_file)
    refuse_unpinned(pins, served=served, known=_catalog(settings.catalog))
    return {name: pins[name] for name in served}


def model_store(settings: Settings) -> ModelStore | None:
    """The store with the pointers of this mode; None where models come from MODEL_PATH alone."""
    if settings.model_source is ModelSource.PATH:
        return None
    pinned = settings.model_source is ModelSource.PINNED
    return ModelStore(settings.model_store_dir, PINNED if pinned else settings.model_alias)


def redaction_of(settings: Settings) -> Redaction:
    """Fields of the catalog's models, served here or not. Raises ValueError for one that is not there."""
    if not settings.log_redact_fields:
        return Redaction({})
    return parse_redaction(settings.log_redact_fields, _catalog(settings.catalog))


def challenged_models(settings: Settings) -> dict[str, ModelDefinition]:
    """Those that AB_WEIGHTS or SHADOW_SAMPLES name. Raises ValueError for one that is not served."""
    served = served_models(settings)
    for setting, named in (("AB_WEIGHTS", settings.weights), ("SHADOW_SAMPLES", settings.shadows)):
        if unknown := sorted(set(named) - set(served)):
            raise ValueError(f"{setting} names {', '.join(unknown)}, which is not served here")
    return {name: served[name] for name in served if name in settings.challenged}


def pinned_challengers(settings: Settings) -> dict[str, str]:
    """The challenger of each model that has one; none in other modes. Raises ValueError for a model without."""
    if settings.model_source is not ModelSource.PINNED:
        return {}
    pins = parse_pins(settings.challenger_versions, setting="CHALLENGER_VERSIONS")
    challenged = challenged_models(settings)
    if missing := sorted(set(challenged) - set(pins)):
        raise ValueError(f"CHALLENGER_VERSIONS pins no challenger of {', '.join(missing)}")
    return {name: pins[name] for name in challenged}


def challenger_store(settings: Settings) -> ModelStore:
    """The store with the pointers of challengers, where a registry is followed."""
    pinned = settings.model_source is ModelSource.PINNED
    return ModelStore(settings.model_store_dir, PINNED_CHALLENGER if pinned else settings.challenger_alias)


def challenger_source(settings: Settings) -> ChallengerSource:
    if settings.model_source is not ModelSource.PATH:
        return StoredChallengers(challenger_store(settings))
    assert settings.challenger_path is not None
    return PathChallengers(ModelPath(settings.challenger_path))


def views_of(definitions: Mapping[str, ModelDefinition]) -> dict[str, FeatureView]:
    """The feature views of models, by name. Raises ValueError where two models mean different rows by one name."""
    views: dict[str, FeatureView] = {}
    for definition in definitions.values():
        view = definition.view
        if view is not None and views.setdefault(view.name, view).row is not view.row:
            raise ValueError(f"two models declare different feature views named {view.name}")
    return views


def furthest_truths(definitions: Iterable[ModelDefinition]) -> dict[str, float]:
    """By model how far from 0 a truth can be, for those that say it."""
    return {each.name: each.most for each in definitions if each.most is not None}


def _catalog(package: str) -> dict[str, ModelDefinition]:
    if not _PACKAGE.fullmatch(package):
        raise ValueError("CATALOG is the name of a Python package")
    try:
        return load_catalog(package)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{package}.".startswith(f"{error.name}."):  # an import inside it
            raise
        raise ValueError("CATALOG names a package that is not there") from None


def _only_model(settings: Settings) -> tuple[str, ...]:
    if settings.model_source is not ModelSource.PATH or settings.model_path is None:
        return ()
    only = ModelPath(settings.model_path).only_model()
    return () if only is None else (only,)
