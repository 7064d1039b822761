"""The off-path process of a pod: follows the registry into the model store and ships the spool into SQL.

It alone holds registry and artifact credentials. Losing it costs freshness, never a prediction.
"""
