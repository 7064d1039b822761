"""Where the stages of one model read and write, relative to the current folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Paths of one model. `dvc.yaml` names the same ones."""

    model: str
    root: Path = Path()

    @property
    def raw(self) -> Path:
        return self.root / "data" / "raw" / self.model

    @property
    def prepared(self) -> Path:
        return self.root / "data" / "prepared" / self.model

    @property
    def rows(self) -> Path:
        return self.prepared / "rows.parquet"

    @property
    def test_rows(self) -> Path:
        return self.prepared / "test_rows.parquet"

    @property
    def report(self) -> Path:
        return self.prepared / "report.json"

    @property
    def validation(self) -> Path:
        return self.prepared / "validation.json"

    @property
    def features(self) -> Path:
        return self.root / "data" / "features" / self.model / "features.parquet"

    @property
    def feature_code(self) -> Path:
        """The digest of the code that built the features: what is compiled depends on it, wherever that code lies."""
        return self.features.parent / "code.json"

    @property
    def outputs(self) -> Path:
        return self.root / "models" / self.model

    @property
    def pipeline(self) -> Path:
        return self.outputs / "pipeline" / "pipeline.skops"

    @property
    def evaluated(self) -> Path:
        """The model that was judged: fitted on the train split only."""
        return self.outputs / "evaluated"

    @property
    def evaluated_pipeline(self) -> Path:
        return self.evaluated / "pipeline.skops"

    @property
    def evaluated_model(self) -> Path:
        return self.evaluated / "model.onnx"

    @property
    def intervals(self) -> Path:
        return self.outputs / "intervals"

    @property
    def training_facts(self) -> Path:
        return self.outputs / "train.json"

    @property
    def metrics(self) -> Path:
        return self.outputs / "metrics.json"

    @property
    def slices(self) -> Path:
        return self.outputs / "slices.json"

    @property
    def plots(self) -> Path:
        return self.outputs / "plots"

    @property
    def pictures(self) -> Path:
        return self.outputs / "pictures"

    @property
    def page(self) -> Path:
        return self.outputs / "report.html"

    @property
    def card(self) -> Path:
        return self.outputs / "CARD.md"

    @property
    def compile_metrics(self) -> Path:
        return self.outputs / "compile.json"

    @property
    def servable(self) -> Path:
        return self.outputs / "servable"
