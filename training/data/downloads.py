"""Public data sets over the network, laid out as the raw files that recipes read.

Kaggle's own client asks for an account where a data set needs one. Where there is no network or no account the offline
ways remain: SLIPWAY_RAW_DIR, or the recipe's generator.
"""

from __future__ import annotations

from pathlib import Path

from modelkit.definition import ModelDefinition
from training.errors import DownloadFailed
from training.files import write_if_changed
from training.recipes import Fetch, recipe_of

DOWNLOADS = Path("data/downloads")


def fetch_from_kaggle(data_set: str) -> Path:
    """The folder of a data set, for example `olistbr/brazilian-ecommerce`. Raises DownloadFailed, with the reason."""
    import kagglehub
    from kagglehub.exceptions import BackendError, CredentialError, NotFoundError, UnauthenticatedError

    try:
        return Path(kagglehub.dataset_download(data_set))
    except (OSError, BackendError, CredentialError, NotFoundError, UnauthenticatedError, ValueError) as error:
        raise DownloadFailed(
            f"{data_set} could not be downloaded ({type(error).__name__}); offline, set SLIPWAY_RAW_DIR to a folder "
            "of raw files, or go on with synthetic data"
        ) from error


def download(definition: ModelDefinition, fetch: Fetch, downloads: Path = DOWNLOADS) -> list[str]:
    """Writes the raw files of the model under `downloads`, and says which were new."""
    recipe = recipe_of(definition)
    files = recipe.download(fetch)
    folder = downloads / recipe.RAW_FOLDER
    return [name for name, content in files.items() if write_if_changed(folder / name, content)]


def is_downloaded(definition: ModelDefinition, downloads: Path = DOWNLOADS) -> bool:
    recipe = recipe_of(definition)
    return all((downloads / recipe.RAW_FOLDER / name).is_file() for name in recipe.RAW_FILES)
