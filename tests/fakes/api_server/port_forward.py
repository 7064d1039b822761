"""Port-forward as the API server offers it to WebSockets (`v4.channel.k8s.io`): two channels, each begun with its port."""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
import threading
from contextlib import suppress
from typing import Any

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PROTOCOL = "v4.channel.k8s.io"  # what a kubelet chooses of what is offered
BINARY, CLOSE = 2, 8
DATA, ERROR = b"\x00", b"\x01"


def handshake(handler: Any) -> bool:
    """Upgrades the connection; False, and a refusal, where the request is none of a WebSocket."""
    key = handler.headers.get("Sec-WebSocket-Key", "")
    offered = handler.headers.get("Sec-WebSocket-Protocol", "")
    if not key or PROTOCOL not in offered:
        handler.send_error(400, "unable to upgrade: bad protocol")
        return False
    accept = base64.b64encode(hashlib.sha1(key.encode() + MAGIC).digest()).decode()
    handler.send_response(101, "Switching Protocols")
    for name, value in (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept),
        ("Sec-WebSocket-Protocol", PROTOCOL),
    ):
        handler.send_header(name, value)
    handler.end_headers()
    return True


def bridge(client: socket.socket, backend: tuple[str, int] | None, port: int) -> None:
    """Carries bytes both ways until either side is done."""
    for channel in (DATA, ERROR):
        send_frame(client, channel + struct.pack("<H", port))
    try:
        if backend is None:
            raise ConnectionRefusedError
        upstream = socket.create_connection(backend, timeout=5)
    except OSError:
        text = f"an error occurred forwarding {port} -> {port}: connect: connection refused"
        send_frame(client, ERROR + text.encode())
        send_frame(client, b"", opcode=CLOSE)
        return
    with upstream:
        upstream.settimeout(None)
        threading.Thread(target=_down, args=(upstream, client), daemon=True).start()
        with suppress(OSError):
            while (payload := read_frame(client)) is not None:
                if payload[:1] == DATA:
                    upstream.sendall(payload[1:])
        with suppress(OSError):
            upstream.shutdown(socket.SHUT_RDWR)


def _down(upstream: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while data := upstream.recv(65536):
            send_frame(client, DATA + data)
        send_frame(client, b"", opcode=CLOSE)


def send_frame(client: socket.socket, payload: bytes, *, opcode: int = BINARY) -> None:
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    client.sendall(head + payload)


def read_frame(client: socket.socket) -> bytes | None:
    """The payload of a message; None at the end. Frames of clients are masked."""
    head = _exactly(client, 2)
    if head is None or head[0] & 0x0F == CLOSE:
        return None
    size = head[1] & 0x7F
    if size == 126:
        size = struct.unpack("!H", _exactly(client, 2) or b"\0\0")[0]
    elif size == 127:
        size = struct.unpack("!Q", _exactly(client, 8) or b"\0" * 8)[0]
    mask = _exactly(client, 4)
    data = _exactly(client, size)
    if mask is None or data is None:
        return None
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))


def _exactly(client: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return data
