"""Which models of the catalog this deployment serves, and what must be right before any worker starts."""

from __future__ import annotations

from collections.abc import Mapping

from auth.keys import MountedSecretKeys, SecretKeys
from modelkit.definition import FeatureView, ModelDefinition, load_catalog
from serving.model_store import ModelStore
from serving.settings import Settings


def served_models(settings: Settings) -> dict[str, ModelDefinition]:
    """By name. Raises ValueError for a name in MODELS or DEFAULT_MODEL that the catalog does not have."""
    catalog = load_catalog(settings.catalog)
    names = settings.model_names or tuple(catalog)
    asked = {*names, *((settings.default_model,) if settings.default_model else ())}
    unknown = sorted(asked - set(catalog))
    if unknown:
        raise ValueError(
            f"MODELS or DEFAULT_MODEL names {', '.join(unknown)}, which the catalog does not have"
        )
    return {name: catalog[name] for name in names}


def views_of(definitions: Mapping[str, ModelDefinition]) -> dict[str, FeatureView]:
    """The feature views of models, by name. Raises ValueError where two models mean different rows by one name."""
    views: dict[str, FeatureView] = {}
    for definition in definitions.values():
        view = definition.view
        if view is not None and views.setdefault(view.name, view).row is not view.row:
            raise ValueError(f"two models declare different feature views named {view.name}")
    return views


def refuse_impossible(settings: Settings) -> None:
    """Raises ValueError, naming the setting and never its value, for what every worker would stumble over.

    A worker that cannot start is started again and again; the parent stops at once.
    """
    views_of(served_models(settings))
    ModelStore(settings.model_store_dir, settings.model_alias)
    if settings.jwt_secret_key is not None:
        SecretKeys(settings.jwt_secret_key.get_secret_value(), setting="JWT_SECRET_KEY")
    elif settings.jwt_secret_key_file is not None:
        MountedSecretKeys(settings.jwt_secret_key_file, setting="JWT_SECRET_KEY_FILE")
