"""The two streams of lines about what was asked: one line per request, and one per answered row."""
