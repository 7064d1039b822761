"""Commands of `python -m training`, one module each: found by name, so that a new command is a new file.

A module has HELP (one line), MODELS (how many model names it takes: `none`, `one`, `many`, or `any`, where no name means
all), `add_arguments(parser)` and `run(arguments, definition, settings) -> str`, which says what was done; `definition` is
None where MODELS is `none`.
Modules import what is heavy inside `run`: asking for help should not wait for MLflow.
"""
