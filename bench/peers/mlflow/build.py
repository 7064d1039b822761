"""Saves the benchmarked estimator as an MLflow model, which is what `mlflow models serve` takes."""

import sys

import mlflow.catboost
import mlflow.sklearn
import peer_model

model = peer_model.load()
if (peer_model.folder() / "model.cbm").exists():
    mlflow.catboost.save_model(model, sys.argv[1])
else:
    mlflow.sklearn.save_model(model, sys.argv[1], serialization_format="cloudpickle")
