"""Redaction: what is named in LOG_REDACT_FIELDS is not in the record, the rest is as it was, and a row that lacks
something cannot be taken for a whole one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from modelkit.definition import load_catalog
from modelkit.rows import RowReader
from records.prediction_record import PredictionRecord
from records.withheld import ERASED, EVERYTHING, MARKER, shown, withheld, without
from serving.door import check_agent, check_service
from serving.redaction import RedactedLog, parse_redaction
from serving.settings import Environment, Settings
from tests.prediction_records import made_record

CATALOG = load_catalog()


class ListedLog:
    def __init__(self) -> None:
        self.records: list[PredictionRecord] = []

    def append(self, records: list[PredictionRecord]) -> asyncio.Future[None]:
        self.records.extend(records)
        return asyncio.get_running_loop().create_future()


def test_named_fields_are_null_and_the_others_keep_every_digit() -> None:
    row = b'{"a":0.1234567890123456789,"b":"secret","c":9007199254740993,"d":null}'
    written = without(row, {"b", "d"})
    assert (
        written == b'{"a":0.1234567890123456789,"b":null,"c":9007199254740993,"d":null,"$withheld":["b","d"]}'
    )
    assert withheld(msgspec.json.decode(written)) == ("b", "d")
    assert shown(msgspec.json.decode(written)) == {
        "a": 0.12345678901234568,
        "b": None,
        "c": 9007199254740993,
        "d": None,
    }


def test_a_whole_row_lacks_nothing() -> None:
    assert withheld({"a": 1}) == withheld([1]) == withheld(None) == ()
    assert withheld(msgspec.json.decode(ERASED)) == (EVERYTHING,)
    assert shown(msgspec.json.decode(ERASED)) == {}
    assert shown({"a": None}) == {"a": None}


@pytest.mark.parametrize("model", sorted(CATALOG))
def test_no_model_takes_a_row_that_lacks_something_for_a_whole_one(model: str) -> None:
    definition = CATALOG[model]
    assert MARKER not in definition.row.model_fields
    optional = [name for name, field in definition.row.model_fields.items() if not field.is_required()]
    reader = RowReader(definition.row)
    for row in (ERASED, without(msgspec.json.encode({name: None for name in optional}), optional)):
        with pytest.raises(msgspec.ValidationError):
            reader.decode_one(row)


def test_the_setting_names_fields_of_requests_and_of_what_is_looked_up() -> None:
    redaction = parse_redaction(" basket.user_id, housing.latitude ,basket.prior_item_count", CATALOG)
    assert redaction.of("basket") == {"user_id", "prior_item_count"}
    assert redaction.of("housing") == {"latitude"}
    assert redaction.of("iris") == frozenset()
    assert redaction


def test_without_the_setting_there_is_nothing_to_redact() -> None:
    assert not parse_redaction(" , ", CATALOG)


@pytest.mark.parametrize(
    "setting", ["user_id", "basket", "basket.", "basket.name", "baskets.user_id", ".user_id"]
)
@pytest.mark.parametrize("check", [check_service, check_agent], ids=["service", "agent"])
def test_what_is_not_there_is_refused_at_the_door_by_the_settings_name(
    setting: str, check: Callable[[Settings], None]
) -> None:
    settings = Settings(slipway_env=Environment.DEV, log_redact_fields=setting)
    with pytest.raises(ValueError, match="LOG_REDACT_FIELDS"):
        check(settings)


def test_the_log_behind_never_gets_what_is_redacted() -> None:
    async def logged() -> list[PredictionRecord]:
        log = ListedLog()
        redacted = RedactedLog(log, parse_redaction("basket.user_id", CATALOG))
        features = msgspec.Raw(b'{"user_id":"u-17","hour":3}')
        whole = made_record("p-2", model="iris", features=features)
        redacted.append([made_record("p-1", model="basket", features=features), whole])
        assert log.records[1] is whole
        return log.records

    first, _ = asyncio.run(logged())
    assert bytes(first.features) == b'{"user_id":null,"hour":3,"$withheld":["user_id"]}'
    assert (first.prediction_id, first.model, first.predicted_value) == ("p-1", "basket", 23.5)
