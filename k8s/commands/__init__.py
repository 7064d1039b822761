"""The verbs, one module each: `HELP`, `TIMEOUT_SECONDS`, `add_arguments(parser)` and `run(options) -> Report`."""
