"""How an alias comes to move: gates, champion, replay, and the ledger that remembers."""
