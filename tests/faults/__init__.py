"""What the service depends on breaks, under load: `python -m tests.faults` in full, `test_faults_*.py` in short."""
