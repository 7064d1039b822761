"""From materialised features to snapshots: notices a new set, compiles it, proves it, and moves the pointer.

A set that does not fit this image's view is refused, and the snapshot before it stays: as with model versions, code and
data move at different times.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import structlog

from modelkit.definition import FeatureView
from modelkit.view_rows import ViewRows
from serving.adapters.snapshot_features import open_snapshot
from serving.agent.feature_origins import Edition, FeatureOrigin, OriginChanged
from serving.agent.metrics import AgentMetrics
from serving.agent.snapshot_writer import FeaturesRefused, SnapshotWriter
from serving.feature_snapshot import SUFFIX, CorruptSnapshot, SnapshotPointer, SnapshotStore

TROUBLES = {
    "absent": "FEATURES_URL holds none",
    "refused": "those of FEATURES_URL do not fit this image",
    "changed": "those of FEATURES_URL change while they are read",
    "error": "FEATURES_URL cannot be read",
}


class FeatureSync:
    """One look at every view per `step`. A refused set is not read again by this process.

    `troubles` says of a view, after a step, why it has no new snapshot; empty where it needs none.
    """

    def __init__(
        self,
        origin: FeatureOrigin,
        store: SnapshotStore,
        views: Mapping[str, FeatureView],
        metrics: AgentMetrics,
    ) -> None:
        self._origin, self._store, self._metrics = origin, store, metrics
        self._views = [ViewRows(view) for view in views.values()]
        self._refused: dict[str, str] = {}
        self._proven: set[str] = set()
        self.troubles: dict[str, str] = {}
        self._log = structlog.get_logger("slipway.agent")

    def step(self) -> None:
        for rows in self._views:
            view = rows.view.name
            try:
                result = self._follow(rows)
            except FeaturesRefused as error:
                result = "refused"
                self._report(view, str(error))
            except OriginChanged:
                result = "changed"
            except Exception as error:  # a source that is down must not end the following of the others
                result = "error"
                self._log.warning("features cannot be read", view=view, reason=type(error).__name__)
            self._metrics.features_polled(view, result)
            self.troubles[view] = TROUBLES.get(result, "")

    def _follow(self, rows: ViewRows) -> str:
        edition = self._origin.edition(rows)
        if edition is None:
            return "absent"
        if self._is_current(rows, edition):
            return "ok"
        if self._refused.get(rows.view.name, "").startswith(f"{edition.mark} "):
            return "refused"
        try:
            self._compile(rows, edition)
        except FeaturesRefused as error:
            self._refused[rows.view.name] = f"{edition.mark} {error}"
            raise
        return "compiled"

    def _is_current(self, rows: ViewRows, edition: Edition) -> bool:
        """Whether the pointer's snapshot was made from this edition, for this schema, and is whole."""
        pointer = self._store.read_pointer(rows.view.name)
        if pointer is None or pointer.origin_mark != edition.mark or rows.refusal(pointer.meta):
            return False
        path = self._path(rows, pointer.file)
        if pointer.digest in self._proven and path.is_file():
            return True
        try:
            open_snapshot(path, rows, digest=pointer.digest)
        except (CorruptSnapshot, OSError) as error:
            self._log.error("stored snapshot is not whole", view=rows.view.name, reason=str(error))
            return False
        self._proven.add(pointer.digest)
        return True

    def _compile(self, rows: ViewRows, edition: Edition) -> None:
        view, started = rows.view.name, time.perf_counter()
        before = self._store.read_pointer(view)
        with closing(SnapshotWriter(rows, self._store.folder(view))) as writer:
            with self._origin.read(rows, edition) as batches:
                for keys, numbers in batches:
                    writer.add(keys, numbers)
            made, digest, meta = writer.finish(written_at=edition.written_at)
            if edition.rows is not None and edition.rows != meta.rows:
                raise FeaturesRefused(f"{meta.rows} rows, and {edition.rows} were written")
            pointer = SnapshotPointer(
                file=digest[:16] + SUFFIX, digest=digest, origin_mark=edition.mark, meta=meta
            )
            os.replace(made, self._path(rows, pointer.file))
        open_snapshot(self._path(rows, pointer.file), rows, digest=digest)
        self._proven.add(digest)
        self._store.write_pointer(view, pointer)
        self._store.forget_all_but(view, {pointer.file, *([before.file] if before else [])})
        seconds = time.perf_counter() - started
        self._metrics.features_compiled(view, rows=meta.rows, seconds=seconds)
        self._log.info("feature snapshot compiled", view=view, rows=meta.rows, seconds=round(seconds, 2))

    def _report(self, view: str, reason: str) -> None:
        """Says it once per reason, because the source is asked every few seconds."""
        key = f"said {view}"
        if self._refused.get(key) != reason:
            self._refused[key] = reason
            self._log.error("features refused", view=view, reason=reason)

    def _path(self, rows: ViewRows, file: str) -> Path:
        return self._store.folder(rows.view.name) / file
