"""The explainer's work: a job in, a result out. Versions are checked as a worker checks them, and the last few are kept."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from modelkit.definition import ModelDefinition
from modelkit.errors import DeadlineExceeded, ExplainerUnavailable, ExplanationFailed, ServableError
from modelkit.explaining import Effort, ExplainedModel
from modelkit.explanation import By
from modelkit.servable import MODEL, load_servable
from serving.explain.messages import Job, Result

KEPT_VERSIONS = 2  # one may take 200 MB, and the container's memory is the worker's, too


class Desk:
    def __init__(self, definitions: Mapping[str, ModelDefinition]) -> None:
        self._definitions = definitions
        self._kept: OrderedDict[tuple[str, str], ExplainedModel] = OrderedDict()

    def answer(self, job: Job) -> Result:
        """Whatever happens: a job that cannot be done must not cost the next one."""
        deadline = time.perf_counter() + job.seconds
        try:
            model = self._model(job)
            effort = Effort(rows=job.evaluations, deadline=deadline)
            return Result(explanation=model.explain(model.row(job.row), By(job.by), effort))
        except DeadlineExceeded as error:
            return Result(code=error.code)
        except ServableError as error:
            return Result(code=ExplainerUnavailable.code, reason=f"{type(error).__name__}: {error}")
        except Exception as error:  # a bug in a model's feature code
            return Result(code=ExplanationFailed.code, reason=f"{type(error).__name__}: {error}")

    def _model(self, job: Job) -> ExplainedModel:
        key = (job.model, job.digest)
        model = self._kept.get(key)
        if model is None:
            definition = self._definitions[job.model]
            folder = Path(job.folder)
            servable = load_servable(folder, definition, digest=job.digest)
            graph = (folder / MODEL).read_bytes()
            model = self._kept[key] = ExplainedModel(definition, servable, graph=graph)
            if len(self._kept) > KEPT_VERSIONS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return model
