"""Explanations: computed by a program of a worker's own, so that no prediction waits for one."""
