"""What is remembered: users, logins, predictions, feedback and the ledger of model versions, in SQL.

Knows nothing of the rest of the project, so that every program may read and write here.
"""
