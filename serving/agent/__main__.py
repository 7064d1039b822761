"""`python -m serving.agent`: the agent as a program, a worker's child on a laptop and a sidecar in a cluster.

It holds the store's lock, so that there is one; it ends on SIGTERM, or when its standard input closes because the
worker that started it is gone, after shipping what is left. With `--once` it fills the store and ends.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from typing import NoReturn

from serving.agent.chores import Chores
from serving.agent.ending import end
from serving.agent.filling import Filling
from serving.agent.metrics import AgentMetrics
from serving.agent.port import AgentPort
from serving.agent.pulse import Pulse
from serving.agent.store_lock import StoreLock
from serving.door import check_agent, settings_at_the_door
from serving.event_lines import EventLines
from serving.heartbeat import BEAT_SECONDS, Heartbeat
from serving.logs import configure_logs
from serving.settings import Settings
from serving.tracing.wiring import tracing_of


def main() -> NoReturn:
    options = _parser().parse_args()
    settings = settings_at_the_door(check_agent)
    events = configure_logs(settings.log_level)
    stop = threading.Event()
    if options.child:  # a child ignores the signals from birth (`serving.agent_process`)
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    else:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    _leave(
        Filling(settings).run(options.timeout, stop)
        if options.once
        else _run(settings, stop, events, child=options.child),
        events,
    )


def _run(settings: Settings, stop: threading.Event, events: EventLines, *, child: bool) -> int:
    metrics, pulse = AgentMetrics(), Pulse()
    events.counted = metrics.telling.lines
    tracing = tracing_of(settings, "slipway-agent", metrics.telling.spans)
    if tracing is not None:
        metrics.tracer = tracing.tracer
        tracing.start()
    port = AgentPort((settings.api_host, settings.agent_metrics_port), metrics.registry, pulse)
    threading.Thread(target=port.run, args=(stop,), name="port", daemon=True).start()
    lock = StoreLock(settings.model_store_dir)
    if not lock.wait(stop):
        return 0
    shipping = Chores(settings, metrics, pulse, stop).start()
    heartbeat = Heartbeat(settings.model_store_dir)
    while not stop.is_set():
        if not pulse.stuck():
            heartbeat.beat()
        stop.wait(BEAT_SECONDS)
    code = end(shipping, settings, metrics, child=child)
    heartbeat.end()
    if tracing is not None:
        tracing.close()
    return code


def _leave(code: int, events: EventLines) -> NoReturn:
    """Without waiting for threads of a library that hang in a download, which an ordinary exit would join."""
    events.flush()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _stop_at_end_of_input(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):  # unbuffered: a buffered reader holds a lock that exit needs
        pass
    stop.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m serving.agent", description=__doc__)
    parser.add_argument("--child", action="store_true", help="end when standard input closes")
    parser.add_argument("--once", action="store_true", help="fill the model store and end; ships nothing")
    parser.add_argument(
        "--timeout",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="with --once: give up after this, with exit code 1 and a line for each model that is missing (120)",
    )
    return parser


if __name__ == "__main__":
    main()
