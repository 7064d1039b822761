"""The floor: reads a POST and answers with as many bytes as Slipway does. Nothing cheaper can be written on uvicorn."""

import os

ANSWER = b"x" * int(os.environ.get("ANSWER_BYTES", "200"))
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())],
}
BODY = {"type": "http.response.body", "body": ANSWER}


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send(START)
    await send(BODY)
