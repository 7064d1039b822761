"""The declarations: one folder per model, read by training, serving, load tests and monitoring alike."""
