"""One worker as `serving.bootstrap` builds it, in this process, over tiny real servables: asked through ASGI."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from auth.keys import SecretKeys
from auth.revocations import Revocation
from auth.tokens import TokenIssuer
from modelkit.definition import load_catalog
from records.prediction_record import PredictionRecord
from serving.agent.segments import SegmentFolder
from serving.bootstrap import Worker
from serving.metrics import Metrics
from serving.revocation_file import RevocationFile
from serving.settings import Settings
from serving.spool import OPEN, SEALED
from tests.fakes.trail import Trail
from tests.tiny_features import example_features, write_snapshot
from tests.tiny_servables import write_tiny

PASSWORD = "correct horse battery staple"
KEY = "kJ4vQ9xTz2LmWc7RbN8yHs3FgD6pXaEo1UiVtY5w"  # made for these tests
CATALOG = load_catalog()
FLOWER: dict[str, Any] = dict(CATALOG["iris"].examples[0])
DELIVERY: dict[str, Any] = dict(CATALOG["food-delivery"].examples[0])
PATIENCE_SECONDS = 20.0
AGENTS_PATIENCE_SECONDS = 86_400.0


class FrontService:
    """A started worker; `close` stops it. Background work goes on only while a request is being answered.

    There is no agent: what one would have said about revocations, `revoked`, is there from the start and never stale.
    """

    def __init__(
        self,
        folder: Path,
        *,
        patient: bool = True,
        revoked: Sequence[Revocation] | None = (),
        **settings: Any,
    ) -> None:
        baked, store = folder / "baked", folder / "store"
        for name, definition in load_catalog(settings.get("catalog", "catalog")).items():
            write_tiny(definition, baked / name)
            if definition.view is not None and "features_url" not in settings:
                write_snapshot(definition.view, store, example_features(definition))
        self.settings = Settings(
            **{
                "slipway_env": "dev",
                "jwt_secret_key": KEY,
                "model_source": "path",
                "model_path": baked,
                "model_store_dir": store,
                "spool_dir": folder / "spool",
                "drain_file": folder / "drain",
                "agent_enabled": False,
                "metrics_port": 0,
                **settings,
            }
        )
        if revoked is not None:
            file = RevocationFile(self.settings.model_store_dir)
            file.write(revoked, right_at=time.time() + AGENTS_PATIENCE_SECONDS)
        self.registry = CollectorRegistry()
        self.runner = asyncio.Runner()
        self.trail = Trail()
        self.worker = Worker(self.settings, metrics=Metrics(self.registry), audit=self.trail)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.worker.front), base_url="http://test"
        )
        self.runner.run(self._start(patient))

    async def _start(self, patient: bool) -> None:
        await self.worker.runtime.start()
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while patient and self.worker.board.unready():
            assert time.monotonic() < give_up_at, self.worker.board.unready()
            await asyncio.sleep(0.02)
        while self.settings.redis_url and not (self.worker.cache and self.worker.cache.has_remote):
            assert time.monotonic() < give_up_at, "no shared cache"
            await asyncio.sleep(0.02)

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.run(self.worker.runtime.stop())
        self.runner.close()

    def token(self, scopes: str = "predict read", *, lives: int = 900, of: str = "ada") -> dict[str, str]:
        """The header of a token of ours; a negative life has ended already."""
        issuer = TokenIssuer(
            SecretKeys(KEY, setting="KEY"),
            issuer=self.settings.jwt_issuer,
            audience=self.settings.jwt_audience,
            ttl_seconds=abs(lives),
            clock=lambda: time.time() + min(0, 2 * lives),
        )
        issued = issuer.issue(subject=of, scopes=frozenset(scopes.split()), user_id=None)
        return {"authorization": f"Bearer {issued.access_token}"}

    def ask(self, method: str, path: str, **parts: Any) -> httpx.Response:
        return self.runner.run(self.client.request(method, path, **parts))

    def predict(self, body: Any, path: str = "/predict/iris", **headers: str) -> httpx.Response:
        """POST with a token; bytes go as they are, everything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**self.token(), "content-type": "application/json", **headers}
        return self.ask("POST", path, content=content, headers=sent)

    def ask_raw(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        body: bytes = b"",
        *,
        query: str = "",
    ) -> httpx.Response:
        """A path exactly as given: clients tidy paths up, attackers do not."""
        pairs = [*headers.items()] if isinstance(headers, Mapping) else [*(headers or ())]
        return self.runner.run(self._ask_raw(method, f"{path}?{query}", pairs, body))

    async def _ask_raw(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> httpx.Response:
        path, _, query = target.rpartition("?")
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode("utf-8", "surrogateescape"),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
            "client": ("127.0.0.1", 1),
        }
        await self.worker.front(scope, receive, send)
        start, last = sent
        return httpx.Response(start["status"], headers=start["headers"], content=last["body"])

    def logged(self) -> list[PredictionRecord]:
        """Every record in the spool, sealed or not."""
        segments = SegmentFolder(self.settings.spool_dir)
        paths = [path for path in self.settings.spool_dir.glob("*") if path.suffix in (OPEN, SEALED)]
        return [record for path in paths for record in segments.read(path).records]

    def series(self) -> set[str]:
        """The names and labels of a scrape, without their values."""
        text = self.ask("GET", "/metrics").text
        return {line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")}
