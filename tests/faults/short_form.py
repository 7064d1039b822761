"""What the tests of the short form ask of a scenario: the same faults and the same counting, for a second or so each.

Times are not held against their bars here; `make faults` does that, on a quiet machine.
"""

from __future__ import annotations

from tests.faults.running import Stands
from tests.faults.scenario import SHORT, Scenario, Verdict


def broken(stands: Stands, scenario: Scenario) -> list[Verdict]:
    """The bars that do not hold; where nobody was answered there is one more."""
    finding = stands.run(scenario, SHORT)
    answered = Verdict(
        bar="some are answered", seen=str(finding.acknowledged), holds=finding.acknowledged > 0
    )
    return [each for each in (answered, *finding.broken(judged=False)) if not each.holds]
