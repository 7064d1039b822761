"""A connection to a port of a pod, through the API server (`port-forward` over a WebSocket).

Why not the API server's HTTP proxy: it takes the `Authorization` header for itself, so that a token of ours never
arrives, and it comes from outside the pod, where a default-deny NetworkPolicy stops it. A forwarded port is opened by the
kubelet inside the pod's own network.
"""

from __future__ import annotations

import http.client
import io
import json
import ssl
from typing import TYPE_CHECKING, Any

from k8s.errors import Unreachable, refusal

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
DATA, ERROR = 0, 1
INITIAL_BYTES = 2  # the first message of a channel is the number of its port
CLOSED_CHANNEL = 255  # of protocol v5
BROKEN = (ConnectionError, TimeoutError, OSError)


class Tunnel:
    """What http.client needs of a socket."""

    def __init__(self, websocket: Any, what: str) -> None:
        self._websocket, self._what = websocket, what
        self._greeted: set[int] = set()

    def sendall(self, data: bytes) -> None:
        with _as_unreachable(self._what):
            self._websocket.send_binary(bytes((DATA,)) + data)

    def receive(self) -> bytes:
        """The next piece; empty at the end. Raises Unreachable with what the kubelet says of the port."""
        while True:
            with _as_unreachable(self._what):
                message = self._websocket.recv()
            if not message or message[0] == CLOSED_CHANNEL:
                return b""
            channel, payload = message[0], message[1:]
            if channel not in self._greeted and len(payload) == INITIAL_BYTES:
                self._greeted.add(channel)
            elif channel == ERROR:
                raise Unreachable(f"{self._what}: {payload.decode('utf-8', 'replace').strip()}")
            elif payload:
                return bytes(payload)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Stream(self))

    def close(self) -> None:
        self._websocket.close(timeout=0)


class _Stream(io.RawIOBase):
    """The tunnel as a file; closing it leaves the tunnel open, for the next answer."""

    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel, self._rest = tunnel, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._rest or self._tunnel.receive()
        count = min(len(buffer), len(piece))
        buffer[:count], self._rest = piece[:count], piece[count:]
        return count


class _as_unreachable:
    """Failures of a WebSocket as errors of ours."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        from websocket import WebSocketException

        if isinstance(error, (WebSocketException, *BROKEN)):
            raise Unreachable(f"{self._what}: {str(error) or type(error).__name__}") from error


def open_tunnel(api: ApiClient, path: str, *, what: str, timeout_seconds: float) -> Tunnel:
    """Raises Refused where the API server does, and Unreachable."""
    from websocket import WebSocketBadStatusException, create_connection

    configuration = api.configuration
    # Asked first: an expired token is exchanged on the way.
    authorization = configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
    scheme, _, rest = str(configuration.host).partition("://")
    url = f"{'wss' if scheme == 'https' else 'ws'}://{rest}{path}"
    try:
        with _as_unreachable(what):
            websocket = create_connection(
                url,
                timeout=timeout_seconds,
                header=[f"Authorization: {authorization}"] if authorization else [],
                subprotocols=PROTOCOLS,
                sslopt=_tls(configuration),
                suppress_origin=True,
            )
    except Unreachable as error:
        cause = error.__cause__
        if isinstance(cause, WebSocketBadStatusException):
            raise refusal(cause.status_code, f"{what}: {_said(cause)}") from None
        raise
    return Tunnel(websocket, what)


def _said(error: Any) -> str:
    try:
        return str(json.loads(error.resp_body)["message"])
    except (ValueError, KeyError, TypeError):
        return f"the API server answered {error.status_code}"


def _tls(configuration: Any) -> dict[str, Any]:
    if not configuration.verify_ssl:
        return {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    options: dict[str, Any] = {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": configuration.ssl_ca_cert}
    if configuration.cert_file:
        options |= {"certfile": configuration.cert_file, "keyfile": configuration.key_file}
    if configuration.tls_server_name:
        options["server_hostname"] = configuration.tls_server_name
    return options


class TunnelConnection(http.client.HTTPConnection):
    """HTTP over a tunnel that is open already."""

    def __init__(self, tunnel: Tunnel) -> None:
        super().__init__("localhost")
        self.auto_open = 0
        self.sock = tunnel
