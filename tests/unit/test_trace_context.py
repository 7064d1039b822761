"""W3C trace context, case by case as its recommendation and its own test suite put them."""

from __future__ import annotations

import re

import pytest

from serving.tracing.context import AT_ONCE, TraceParents, is_sampled, sampled, unsampled, well_formed

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"

MALFORMED = {
    "empty": "",
    "a word": "garbage",
    "version ff": f"ff-{TRACE}-{SPAN}-01",
    "upper-case version": f"0A-{TRACE}-{SPAN}-01",
    "one digit of version": f"0-{TRACE}-{SPAN}-01",
    "no trace": f"00-{'0' * 32}-{SPAN}-01",
    "no parent": f"00-{TRACE}-{'0' * 16}-01",
    "upper-case trace": f"00-{TRACE.upper()}-{SPAN}-01",
    "upper-case parent": f"00-{TRACE}-{SPAN.upper()}-01",
    "no digits": f"00-{'g' * 32}-{SPAN}-01",
    "short trace": f"00-{TRACE[:-1]}-{SPAN}-01",
    "long trace": f"00-{TRACE}1-{SPAN}-01",
    "short parent": f"00-{TRACE}-{SPAN[:-1]}-01",
    "long parent": f"00-{TRACE}-{SPAN}1-01",
    "short flags": f"00-{TRACE}-{SPAN}-1",
    "no flags": f"00-{TRACE}-{SPAN}",
    "upper-case flags": f"00-{TRACE}-{SPAN}-0A",
    "more than version 0 has": f"{GOOD}-what-the-future-brings",
    "a trailing dash": f"{GOOD}-",
    "a later version that goes on without a dash": f"cc-{TRACE}-{SPAN}-01.what",
    "underscores": GOOD.replace("-", "_"),
    "a dash in the trace": f"00-{TRACE[:10]}-{TRACE[11:]}-{SPAN}-01",
    "a space": f" {GOOD}"[:55],
    "a sign": f"00-+{TRACE[1:]}-{SPAN}-01",
    "dashes only": "-" * 55,
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_is_not_followed(case: str) -> None:
    assert not well_formed(MALFORMED[case].encode())


@pytest.mark.parametrize(
    "given",
    [
        GOOD,
        f"00-{TRACE}-{SPAN}-00",
        f"00-{TRACE}-{SPAN}-ff",
        f"cc-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-what",
    ],
)
def test_what_is_well_formed_or_of_a_later_version_is_followed(given: str) -> None:
    assert well_formed(given.encode())


def test_a_span_of_ours_is_in_the_callers_trace_and_speaks_the_version_that_we_know() -> None:
    ours = TraceParents().within(f"cc-{TRACE}-{SPAN}-ff-more".encode()).decode()
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-01", ours)
    assert SPAN not in ours


def test_only_the_lowest_bit_of_the_flags_says_that_a_trace_is_recorded() -> None:
    flags = {
        flag: is_sampled(f"00-{TRACE}-{SPAN}-{flag}".encode())
        for flag in ("00", "01", "02", "03", "fe", "ff")
    }
    assert flags == {"00": False, "01": True, "02": False, "03": True, "fe": False, "ff": True}
    assert sampled(GOOD.encode()) == GOOD.encode() == sampled(unsampled(GOOD.encode()))
    assert not is_sampled(unsampled(GOOD.encode()))


def test_new_traces_are_well_formed_unrecorded_and_all_different() -> None:
    parents = TraceParents()
    made = [parents() for _ in range(3 * AT_ONCE + 1)]
    assert all(map(well_formed, made))
    assert not any(map(is_sampled, made))
    assert len({each[3:35] for each in made}) == len({each[36:52] for each in made}) == len(made)
