"""Changes of one line, each a pull request: which image an overlay runs, and which version of a model."""
