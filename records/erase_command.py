"""`python -m records erase`: says who is erased, what would be changed or has been, and what no command can reach."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Engine

from records.actor import actor_of
from records.engine import open_existing
from records.erasing import Erasing, count_rows
from records.erasures import SUBJECT, Person
from records.named_persons import named_person
from records.settings import CatalogSettings

UNREACHED = """\
Not reached: backups and copies of this database, results of batches, materialised features, logs that have left this service,
and files of LOG_DIR: model_metrics.txt holds whole rows, also as .1 to .5, until newer lines push them out. Delete them.
Records in spools are erased as they arrive."""


def add_erase(parser: argparse.ArgumentParser) -> None:
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("subject", nargs="?", help="a caller: a user's name, or <issuer>:<subject>")
    who.add_argument(
        "--entity",
        metavar="MODEL.FIELD=VALUE",
        help="somebody whom requests of a model name in a field, such as basket.user_id=u-17",
    )
    parser.add_argument("--dry-run", action="store_true", help="count rows and change nothing")


def erase(options: argparse.Namespace, url: str) -> str:
    """What was done, to be printed. Raises ValueError for a person that cannot be meant."""
    person = _person(options)
    engine = open_existing(url)
    try:
        return _dry_run(engine, person) if options.dry_run else _erase(engine, person, actor_of(options))
    finally:
        engine.dispose()


def _person(options: argparse.Namespace) -> Person:
    if options.entity is None:
        if not options.subject or options.subject.startswith("erased/"):
            raise ValueError("say whom to erase: a user's name, or <issuer>:<subject>")
        return Person(kind=SUBJECT, value=options.subject)
    return named_person(options.entity, CatalogSettings().catalog)


def _dry_run(engine: Engine, person: Person) -> str:
    return f"{_listed(count_rows(engine, person))}Nothing was changed."


def _erase(engine: Engine, person: Person, actor: str) -> str:
    done: Counter[str] = Counter()

    def counted(table: str, count: int) -> None:
        done[table] += count

    name = Erasing(engine=engine, person=person, actor=actor, counted=counted).run()
    return f"{_listed(done)}The pseudonym is {name}.\n{UNREACHED}"


def _listed(rows: Mapping[str, int]) -> str:
    return "".join(f"{table}: {count}\n" for table, count in sorted(rows.items()))
