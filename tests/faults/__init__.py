"""What the service depends on breaks, under load: `python -m tests.faults` in full, `test_scenarios.py` in short."""
