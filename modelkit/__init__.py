"""The vocabulary of a servable model: what training writes and serving reads. Pure, and free of I/O beyond files handed to it."""
