"""One of several people who move the same alias at the same moment, as a process of its own.

`python -m tests.alias_mover TRACKING_URI DATABASE_URL VERSION FOLDER MOVERS`: looks at the alias, waits in FOLDER until
all have looked, and moves. Says `won` or `lost`.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

from modelkit.definition import load_catalog
from records.engine import open_engine
from training.errors import PromotionRefused
from training.promotion.alias_ledger import AliasLedger, Move
from training.registry import Registry
from training.version import PRODUCTION


def main(tracking_uri: str, database_url: str, version: str, folder: str, movers: str) -> None:
    warnings.simplefilter("ignore")
    definition = load_catalog()["food-delivery"]
    registry, ledger = Registry(tracking_uri), open_engine(database_url)
    aliases = AliasLedger(definition, registry, ledger)
    after = registry.by_number(definition.registry_name, version)
    before = aliases.holder(PRODUCTION)
    (Path(folder) / f"{version}.looked").touch()
    while len(list(Path(folder).glob("*.looked"))) < int(movers):
        time.sleep(0.02)
    try:
        aliases.move(before, after, Move(alias=PRODUCTION, actor=f"mover {version}", reason="race"))
        sys.stdout.write("won")
    except PromotionRefused:
        sys.stdout.write("lost")


if __name__ == "__main__":
    main(*sys.argv[1:])
