"""One module per command of `python -m deploy`, found by name: `HELP`, `add_arguments(parser)`, `run(options) -> int`."""
