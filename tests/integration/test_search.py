"""A search against real storages: resumed, shared, pruned, and never worse than what `params.yaml` says."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import mlflow
import optuna
import pytest
import yaml

from modelkit.definition import load_catalog
from tests.stage_runs import small_params
from tests.toy_search import BLOCK, STEPS, ToyJudge, TrialNotes, toy_search
from training.data.raw_data import write_raw
from training.errors import SearchImpossible
from training.layout import Layout
from training.search.session import Wish, search
from training.search.study import open_study
from training.settings import TrainingSettings
from training.stages.featurize import featurize
from training.stages.prepare import prepare

IRIS = load_catalog()["iris"]
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore")  # Optuna's, MLflow's and SQLAlchemy's own


@pytest.fixture
def storage(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new' / 'optuna.db'}"


def drawn(storage: str) -> list[float]:
    study = optuna.load_study(study_name="toy", storage=storage)
    return [trial.params["x"] for trial in study.trials]


def test_a_resumed_search_goes_on_to_the_total_as_if_it_had_not_stopped(storage: str, tmp_path: Path) -> None:
    assert toy_search(storage, 3).finished == 3
    assert toy_search(storage, 6).finished == 6
    whole = f"sqlite:///{tmp_path / 'whole.db'}"
    toy_search(whole, 6)
    assert drawn(storage) == drawn(whole)
    judge = ToyJudge()
    toy_search(storage, 6, judge=judge)
    assert judge.asked == []


def test_the_knobs_of_params_yaml_are_judged_first_and_only_better_ones_are_better(storage: str) -> None:
    judge, notes = ToyJudge(), TrialNotes()
    found = toy_search(storage, 6, judge=judge, notes=notes)
    assert judge.asked[0] == BLOCK["model"]["x"]  # type: ignore[index]
    assert notes.names[0] == "params.yaml"
    assert found.better
    assert found.value < found.present
    best = {"seed": 1, "model": {"x": 0.3, "fixed": "a"}}
    assert not toy_search(storage, 6, study="other", block=best).better


def test_knobs_outside_the_space_are_judged_all_the_same(storage: str) -> None:
    found = toy_search(storage, 2, block={"seed": 1, "model": {"x": 7.0}})
    assert found.present == pytest.approx((7.0 - 0.3) ** 2 + 0.01)
    assert (found.finished, found.better) == (2, True)


def test_hopeless_trials_are_pruned_and_save_their_last_steps(storage: str) -> None:
    judge, notes = ToyJudge(), TrialNotes()
    found = toy_search(storage, 12, judge=judge, notes=notes)
    assert found.pruned == notes.states.count("pruned") > 0
    assert judge.steps_taken < STEPS * len(judge.asked)
    assert found.knobs["model"]["x"] == pytest.approx(0.3, abs=0.2)


def test_a_study_of_other_data_is_not_gone_on_with(storage: str) -> None:
    open_study(storage, "toy", maximise=False, seed=1).set_user_attr("data", "others")
    with pytest.raises(SearchImpossible, match="other data"):
        toy_search(storage, 1)


def test_a_storage_that_does_not_answer_is_said_without_its_password() -> None:
    with pytest.raises(SearchImpossible, match=r"postgresql.*\*\*\*@127\.0\.0\.1:9/none does not answer"):
        open_study("postgresql://ada:secret@127.0.0.1:9/none", "toy", maximise=False, seed=1)


def test_the_trial_of_a_process_that_died_is_done_again_by_another(storage: str) -> None:
    toy_search(storage, 2)
    study = open_study(storage, "toy", maximise=False, seed=1)
    dead = study.ask()
    study._storage.record_heartbeat(dead._trial_id)  # type: ignore[attr-defined]
    with contextlib.closing(sqlite3.connect(storage.removeprefix("sqlite:///"))) as database, database:
        database.execute("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'")
    assert toy_search(storage, 4).finished == 4
    assert [trial.state.name for trial in study.trials].count("FAIL") == 1


@pytest.mark.timeout(180)
def test_two_machines_share_one_study_and_stop_at_its_total(empty_database_url: str, tmp_path: Path) -> None:
    total, machines = 10, 2
    command = [sys.executable, "-m", "tests.toy_search", empty_database_url, "toy", str(total)]
    running = [
        subprocess.Popen(
            [*command, str(tmp_path), str(machines)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(machines)
    ]
    said = [process.communicate(timeout=150) for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    results = [[int(part) for part in out.split()] for out, _ in said]
    assert [finished for _, finished, _ in results] == [total, total]
    assert results[0][0] == results[1][0]
    study = open_study(empty_database_url, "toy", maximise=False, seed=1)
    done = [trial for trial in study.trials if trial.state.name in ("COMPLETE", "PRUNED")]
    assert len(done) == total
    new = [trial.params["x"] for trial in done if trial.params["x"] != BLOCK["model"]["x"]]  # type: ignore[index]
    assert len(set(new)) == len(new)


def test_a_search_writes_its_diff_and_every_trial_is_a_nested_run(mlflow_uri: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    layout, params = Layout(model="iris", root=tmp_path), small_params(IRIS)
    write_raw(IRIS, layout, source=None)
    prepare(IRIS, params, layout)
    featurize(IRIS, params, layout)
    settings = TrainingSettings(
        mlflow_tracking_uri=mlflow_uri,
        optuna_storage=f"sqlite:///{tmp_path / 'optuna.db'}",
    )
    before = (tmp_path / "params.yaml").read_text()
    with contextlib.chdir(tmp_path):
        said = search(IRIS, params, layout, Wish(trials=3, study="mine"), settings)
        client = mlflow.MlflowClient(settings.mlflow_tracking_uri)
        experiment = client.get_experiment_by_name("iris")
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id])
    [parent] = [run for run in runs if run.data.tags.get("slipway.study") == "mine"]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    names = {run.data.tags["mlflow.runName"] for run in children}
    assert names == {"params.yaml", "trial 1", "trial 2"}  # those of the file lie in the space: the trial 0
    assert all("accuracy" in run.data.metrics and run.data.params for run in children)
    after = (tmp_path / "params.yaml").read_text()
    assert said.startswith("mine: 3 trials, 0 of them pruned")
    assert (after != before) is ("written to params.yaml" in said)
    assert (
        yaml.safe_load(after)["models"]["food-delivery"] == yaml.safe_load(before)["models"]["food-delivery"]
    )
    assert search(IRIS, params, layout, Wish(trials=3, study="mine", write=False), settings).startswith(
        "mine: 3"
    )


def test_there_is_no_search_before_there_are_features(tmp_path: Path) -> None:
    with pytest.raises(SearchImpossible, match="dvc repro featurize@iris"):
        search(IRIS, small_params(IRIS), Layout(model="iris", root=tmp_path), Wish(), TrainingSettings())
