"""Hyperparameter search: honest folds, one study that machines share, and the best knobs as a diff of params.yaml."""
