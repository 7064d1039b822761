"""Minutes from purchase to delivery of an e-commerce order."""
