"""Model A of PERFORMANCE: the cheap model, where the server's own cost decides."""
