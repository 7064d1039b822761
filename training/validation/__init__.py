"""Data validation at load: raw files against the recipe's schemas, prepared rows against the contract, and a report to read."""
