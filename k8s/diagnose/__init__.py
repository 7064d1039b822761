"""What is wrong now, from everything that can be looked at."""
