"""Following a rollout to its end."""
