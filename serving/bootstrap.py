"""The composition root of a worker: settings in, the front app and its background work out. Nothing else builds objects."""

from __future__ import annotations

from functools import partial

from auth.audit import Audit
from auth.gate import Gate
from modelkit.definition import ModelDefinition
from serving.admission import Admission
from serving.agent_process import AgentProcess
from serving.audit import audit_log
from serving.connections.house import ConnectionLimits, House
from serving.grpc.parts import GrpcParts, grpc_limits
from serving.grpc.port import GrpcPort
from serving.grpc.surface import OPEN_PATHS
from serving.grpc.telling import GrpcTelling
from serving.heartbeat import Heartbeat, watch_agent
from serving.http.app import FrontApp
from serving.http.docs import DocsRoutes
from serving.http.exchange import FrontLimits
from serving.http.explain import ExplainRoutes
from serving.http.feedback import FeedbackRoutes
from serving.http.history import HistoryRoutes
from serving.http.identity import IdentityRoutes
from serving.http.kserve_v1 import KServeV1Routes
from serving.http.native import NativeRoutes
from serving.http.oauth import OAuthRoutes
from serving.http.oip import OipRoutes
from serving.http.oip_models import OipModelRoutes
from serving.http.oip_surface import ProtocolRoutes
from serving.http.openapi import openapi_document
from serving.http.own_records import OwnRecordRoutes
from serving.http.own_sessions import OwnSessionRoutes
from serving.http.request_rows import Limits
from serving.http.slow_lane import SlowLane
from serving.http.status import StatusRoutes
from serving.http.surface import Handlers, make_surface
from serving.http.token_desk import TokenDesk
from serving.http.well_known import WellKnownRoutes
from serving.identifiers import Identifiers
from serving.identity import Identity
from serving.inference import Inference
from serving.lifecycle.drain import Drain
from serving.lifecycle.orphans import watch_parent
from serving.lifecycle.siblings import Siblings
from serving.lifecycle.writers import Writers
from serving.limits.wiring import Limiting
from serving.metrics import Metrics, forget_dead_workers
from serving.metrics_port import MetricsPort
from serving.model_board import ModelBoard
from serving.origins import Origins
from serving.overload.door import Door
from serving.overload.wiring import make_overload, make_uploads
from serving.predictor import Predictor
from serving.readiness import Readiness
from serving.redaction import RedactedLog
from serving.routing import Routing
from serving.runtime import Errand, Runtime
from serving.served_models import furthest_truths, redaction_of, served_models
from serving.settings import Settings, agent_environment
from serving.splitting import SplitBy
from serving.telling import WorkerTelling
from serving.worker_parts import (
    attach_redis,
    engine_on_first_use,
    follow_features,
    make_answer_cache,
    make_challenger_follower,
    make_entities,
    make_explanations,
    make_follower,
    make_prediction_log,
)


class Worker:
    """One worker's objects, wired."""

    def __init__(
        self, settings: Settings, *, metrics: Metrics | None = None, audit: Audit = audit_log
    ) -> None:
        self.settings, self._audit = settings, audit
        self.definitions: dict[str, ModelDefinition] = served_models(settings)
        forget_dead_workers()
        self.metrics = metrics or Metrics()
        self.board = ModelBoard(self.definitions, self.metrics)
        self.drain = Drain(settings.drain_file)
        self.siblings = Siblings(settings.workers, forget_the_dead=forget_dead_workers)
        self.log = make_prediction_log(settings, self.metrics)
        self.cache = make_answer_cache(settings, self.metrics)
        self.entities = make_entities(self.definitions, settings, self.metrics)
        for name, definition in self.definitions.items():
            if definition.view is not None:
                self.board.also_needs(name, partial(self.entities.unready, definition.view.name))
        self.redaction = redaction_of(settings)
        self.telling = WorkerTelling(settings, self.metrics.telling)
        told = self.telling.log(self.log)
        log = RedactedLog(told, self.redaction) if self.redaction else told
        self.overload = make_overload(settings, self.metrics)
        self.uploads = make_uploads(settings, self.overload, self.metrics)
        self.predictor = Predictor(
            self.cache, log, self.metrics, new_id=Identifiers(), overload=self.overload
        )
        if self.telling.tracer is not None:
            self.predictor.record_stages()
        self.lane, self.hashing = SlowLane(), SlowLane("hashing")
        self.origins = Origins(settings.proxies)
        self.identity = Identity(settings, self.metrics.identity, audit=audit)
        self.limiting = Limiting(settings, self.identity.policy, self.metrics.identity)
        routing = Routing(self.board, self.metrics.comparison)
        self.inference = Inference(routing, self.predictor, self.limiting.limits, self.entities)
        self.explanations = make_explanations(settings, self.cache, self.metrics)
        self.readiness = Readiness(
            self.board, self.drain, self.siblings, needs={"identity": self.identity.unready}
        )
        self.front = self._front()
        self.house = self._house()
        self.grpc = self._grpc()
        self.writers = Writers(
            settings.spool_dir / "writers.lock", self.drain, seconds=settings.drain_limit_seconds
        )
        self.runtime = self._runtime()
        self.runtime.also_watches(
            self.drain.run,
            self.house.run,
            self.telling.run,
            self.siblings.run,
            self.writers.hold,
            watch_parent,
        )
        if self.grpc is not None:
            self.runtime.also_closes(self.grpc.close)

    def _front(self) -> FrontApp:
        settings = self.settings
        engine = engine_on_first_use(settings)
        rows = Limits(max_json_depth=settings.max_json_depth, max_instances=settings.max_instances)
        self.native = NativeRoutes(self.inference, self.board, rows, default_model=settings.default_model)
        desk = self._token_desk()
        handlers = Handlers(
            native=self.native,
            protocols=self._protocols(rows),
            status=StatusRoutes(self.board, self.readiness),
            identity=IdentityRoutes(desk, max_json_depth=settings.max_json_depth),
            oauth=OAuthRoutes(
                desk,
                self.identity.authenticator,
                refuse_if_stale=self.identity.revoking.follower.refuse_if_stale,
                max_json_depth=settings.max_json_depth,
            ),
            own_sessions=OwnSessionRoutes(desk),
            history=HistoryRoutes(self.board, engine, self.lane),
            own_records=OwnRecordRoutes(engine, self.lane),
            explain=self._explain(),
            feedback=FeedbackRoutes(
                engine,
                self.lane,
                rows,
                rates=self.limiting.limits,
                most=furthest_truths(self.definitions.values()),
            ),
            well_known=WellKnownRoutes(self.identity.keys, settle_seconds=settings.jwt_key_settle_seconds),
            issues_tokens=self.identity.issues_tokens,
            docs=self._docs(),
            metrics=self.metrics if settings.metrics_are_public else None,
        )
        surface = make_surface(handlers, self.definitions.values())
        self.metrics.methods = surface.methods
        return FrontApp(
            surface,
            door=self._door(surface.open_paths),
            drain=self.drain,
            limits=FrontLimits(
                max_in_flight=settings.max_in_flight,
                max_body_bytes=settings.max_body_bytes,
                request_timeout_seconds=settings.request_timeout_seconds,
                split_keys=settings.ab_split_by is SplitBy.KEY,
            ),
            telling=self.telling.of_http(self.metrics, surface),
        )

    def _house(self) -> House:
        settings = self.settings
        limits = ConnectionLimits(
            most=settings.max_connections,
            header_bytes=settings.max_header_bytes,
            seconds=settings.request_timeout_seconds,
        )
        return House(limits, self.metrics)

    def _protocols(self, rows: Limits) -> ProtocolRoutes:
        return ProtocolRoutes(
            oip=OipRoutes(self.inference, rows),
            models=OipModelRoutes(self.board, self.inference.routing, self.readiness),
            v1=KServeV1Routes(self.inference, rows),
        )

    def _token_desk(self) -> TokenDesk:
        return TokenDesk(
            prove=self.identity.prover,
            sessions=self.identity.sessions,
            revocations=self.identity.revocations,
            lane=self.lane,
            hashing=self.hashing,
            metrics=self.metrics,
            origin_of=self.origins,
        )

    def _explain(self) -> ExplainRoutes | None:
        settings = self.settings
        if self.explanations is None:
            return None
        rows = Limits(max_json_depth=settings.max_json_depth, max_instances=settings.explain_max_rows)
        return ExplainRoutes(self.inference, self.explanations, rows)

    def _docs(self) -> DocsRoutes | None:
        if not self.settings.docs_enabled:
            return None
        describe = partial(
            openapi_document,
            list(self.definitions.values()),
            issues_tokens=self.identity.issues_tokens,
            public_metrics=self.settings.metrics_are_public,
            max_instances=self.settings.max_instances,
            explained_rows=self.settings.explain_max_rows if self.settings.explain_enabled else 0,
        )
        return DocsRoutes(describe)

    def _grpc(self) -> GrpcPort | None:
        if not self.settings.grpc_port:
            return None
        port = GrpcPort(
            GrpcParts(
                door=self._door(OPEN_PATHS),
                inference=self.inference,
                board=self.board,
                readiness=self.readiness,
                metrics=self.metrics,
                limits=grpc_limits(self.settings),
                telling=GrpcTelling(self.telling.service, self.telling.tracer),
            ),
            (self.settings.api_host, self.settings.grpc_port),
        )
        self.readiness.also_needs("grpc", port.unready)
        return port

    def _door(self, open_paths: frozenset[str]) -> Door:
        gate = Gate(self.identity.authenticator, open_paths=open_paths)
        admission = Admission(
            gate,
            self.metrics,
            audit=self._audit,
            origins=self.origins,
            fresh_keys=self.identity.key_files.fresh,
        )
        most = self.settings.max_in_flight
        return Door(admission, self.overload, self.uploads, self.metrics, max_in_flight=most)

    def _runtime(self) -> Runtime:
        settings = self.settings
        follower = make_follower(self.board, self.metrics, settings)
        errands: list[Errand] = list(self.identity.errands)
        if self.entities.rows:
            errands.insert(0, partial(follow_features, self.entities, settings, self.metrics))
        errands.append(self.limiting.leasing.run)
        if settings.weights:
            errands.append(make_challenger_follower(self.board, self.metrics, settings).run)
        if self.cache is not None and settings.redis_url is not None:
            errands.append(partial(attach_redis, self.cache, settings, self.metrics))
        errands.append(self._agent(Heartbeat(settings.model_store_dir)))
        if settings.metrics_port:
            lock, port = settings.spool_dir / "metrics.lock", settings.metrics_port
            errands.append(MetricsPort(lock, (settings.api_host, port), self.metrics.registry).run)
        if self.grpc is not None:
            errands.append(self.grpc.run)
        return Runtime(
            follower=follower,
            errands=errands,
            log=self.log,
            metrics=self.metrics,
            closers=[
                self.telling.close,
                self.lane.close,
                self.hashing.close,
                self.entities.close,
                self.limiting.leasing.close,
                *([self.explanations.close] if self.explanations else []),
                *([self.cache.close] if self.cache else []),
            ],
        )

    def _agent(self, heartbeat: Heartbeat) -> Errand:
        settings, agent_up = self.settings, self.metrics.agent_up
        if not settings.agent_enabled:
            return partial(watch_agent, heartbeat, agent_up)
        lock = settings.model_store_dir / "agent-parent.lock"
        child = AgentProcess(lock, agent_environment(), agent_up, heartbeat=heartbeat, writers=self.writers)
        return child.run
