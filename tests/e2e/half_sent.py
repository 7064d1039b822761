"""A request whose body has not come in whole, so that it is under way for as long as a test wants."""

from __future__ import annotations

import http.client
import json
import socket

from tests.e2e.running_service import RunningService


class HalfSent:
    """Sent but for its end; `finish` sends that and gives the answer."""

    def __init__(self, service: RunningService, row: dict[str, object]) -> None:
        self._body = json.dumps(row).encode()
        self._socket = socket.create_connection(("127.0.0.1", service.api_port), timeout=20)
        self.port: int = self._socket.getsockname()[1]
        head = [
            "POST /predict/iris HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {service.token()}",
            f"Content-Length: {len(self._body)}",
            "Content-Type: application/json",
        ]
        self._socket.sendall("\r\n".join([*head, "", ""]).encode() + self._body[:10])

    def finish(self) -> dict[str, object]:
        self._socket.sendall(self._body[10:])
        response = http.client.HTTPResponse(self._socket)
        response.begin()
        body: dict[str, object] = json.loads(response.read())
        self.close()
        assert response.status == 200, body
        return body

    def close(self) -> None:
        self._socket.close()
