"""The pure stages: each a function of files, and what `dvc.yaml` runs."""
