"""Who is calling: tokens, keys, scopes, passwords and logging in. Knows nothing of models."""
