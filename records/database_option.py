"""`--database-url` and `--database-url-file`, for every command that works on a database."""

from __future__ import annotations

import argparse
from pathlib import Path

from pydantic import ValidationError

from records.mounted_secrets import read_secret
from records.settings import DatabaseSettings

NO_DATABASE = "say which database: --database-url, --database-url-file, DATABASE_URL or DATABASE_URL_FILE"


def add_database_options(parser: argparse.ArgumentParser) -> None:
    """Neither is required: the environment may say it. An option goes before the environment."""
    options = parser.add_mutually_exclusive_group()
    options.add_argument("--database-url", help="SQLAlchemy URL, such as sqlite:///var/slipway.db")
    options.add_argument(
        "--database-url-file",
        type=Path,
        help="file that holds it, such as a mounted secret; the default of both is DATABASE_URL or DATABASE_URL_FILE",
    )


def database_url(options: argparse.Namespace) -> str:
    """Raises ValueError, naming the setting and never its value, where no database is named or the name cannot be read."""
    url = options.database_url
    if options.database_url_file is not None:
        url = read_secret(options.database_url_file, setting="--database-url-file")
    elif url is None:
        url = _of_the_environment()
    if not url:
        raise ValueError(NO_DATABASE)
    return str(url)


def _of_the_environment() -> str:
    try:
        found = DatabaseSettings().database_url
    except ValidationError as error:
        reason = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise ValueError(reason.removeprefix("Value error, ")) from None
    return found.get_secret_value() if found is not None else ""
