"""What would stop a deployment, looked at before it."""
