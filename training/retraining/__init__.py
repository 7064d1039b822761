"""From new data to a judged candidate, safe to repeat, to interrupt and to overlap."""
