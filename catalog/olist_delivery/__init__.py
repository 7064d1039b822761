"""Days from purchase to delivery of an Olist order."""
