"""The engine that turns raw files into promoted model versions, for whatever the catalog declares."""
