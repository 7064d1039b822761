"""A replica from its first import to its end: workers and their parent, drain, departure, and what holds them together."""
