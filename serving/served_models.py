"""Which models of the catalog this deployment serves."""

from __future__ import annotations

from modelkit.definition import ModelDefinition, load_catalog
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
