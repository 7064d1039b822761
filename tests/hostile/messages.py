"""Requests that are HTTP, whatever else they are: near-valid bodies of every route, and anything at all anywhere else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from modelkit.definition import ModelDefinition
from serving.oip.raw import write_raw
from tests.bodies import ODD_TEXTS, bodies, damaged
from tests.hostile.json_mischief import mangled
from tests.oip_tensors import json_inputs, tensors_of

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE")
JSON = (b"Content-Type", b"application/json")
FORM = (b"Content-Type", b"application/x-www-form-urlencoded")

Headers = tuple[tuple[bytes, bytes], ...]


class Message(NamedTuple):
    """`raw` is what goes over the wire."""

    method: str
    target: bytes
    headers: Headers = ()
    body: bytes = b""

    def raw(self, *, host: bytes = b"hostile.example") -> bytes:
        lines = [b"%b %b HTTP/1.1" % (self.method.encode(), self.target), b"Host: " + host]
        lines += [b"%b: %b" % pair for pair in self.headers]
        lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


def messages(definitions: Sequence[ModelDefinition], paths: Sequence[str], bearer: bytes) -> Any:
    """What is sent to a service of these models, whose API has these paths."""
    token: Headers = ((b"Authorization", b"Bearer " + bearer),)
    rows = st.one_of([_rows(definition, token) for definition in definitions])
    tensors = st.one_of([_tensors(definition, token) for definition in definitions])
    return st.one_of(rows, rows, tensors, _feedback(token), _identity(token), _anywhere(paths, token))


def _rows(definition: ModelDefinition, token: Headers) -> Any:
    name, model = definition.name, definition.request
    one = st.one_of(bodies(model, odd=False), bodies(model, odd=True), damaged(model), deep())
    ways = st.sampled_from(["fail", "skip", "perhaps", None])
    many = st.builds(_envelope, st.lists(one, max_size=4), ways)
    targets = [f"/predict/{name}", "/predict", f"/v1/models/{name}:predict", f"/explain/{name}"]
    targets += [definition.path] if definition.path else []
    return st.builds(
        lambda target, body, more: Message("POST", target.encode(), (*token, *more), body),
        st.sampled_from(targets),
        st.one_of(one, many, st.binary(max_size=50)),
        _headers,
    )


def _envelope(rows: list[bytes], way: str | None) -> bytes:
    tail = b"" if way is None else b', "on_error": "%b"' % way.encode()
    return b'{"instances": [%b]%b}' % (b", ".join(rows), tail)


def deep() -> Any:
    """Nested without end, closed again or not."""
    depth = st.sampled_from([5, 33, 200, 5_000, 100_000])
    marks = st.sampled_from([(b"[", b"]"), (b'{"a":', b"}"), (b'{"instances":[', b"]}")])
    return st.builds(lambda n, pair, end: pair[0] * n + pair[1] * (n * end), depth, marks, st.booleans())


def _tensors(definition: ModelDefinition, token: Headers) -> Any:
    target = f"/v2/models/{definition.name}/infer".encode()
    rows = [dict(example) for example in definition.examples]
    plain = {"inputs": json_inputs(definition, rows), "id": "1", "outputs": [], "parameters": {}}
    as_json = mangled(plain).map(lambda body: Message("POST", target, (*token, JSON), body))
    return as_json | _binary(definition, rows).map(
        lambda sent: Message("POST", target, (*token, *sent[0]), sent[1])
    )


@st.composite
def _binary(
    draw: st.DrawFn, definition: ModelDefinition, rows: list[dict[str, Any]]
) -> tuple[Headers, bytes]:
    """JSON with raw tensors behind it, of which a byte, a size, a shape or a length may be wrong."""
    inputs, tail = [], b""
    for tensor in tensors_of(definition, rows):
        if None in tensor.data:
            continue
        raw = write_raw(tensor)
        size = draw(st.sampled_from([len(raw), len(raw), len(raw), 0, -1, 2**40, len(raw) + 1]))
        shape = draw(st.sampled_from([[len(rows)], [len(rows)], [-1], [0], [2**62, 2**62], [], [1] * 40]))
        about = {"name": tensor.name, "datatype": tensor.datatype, "shape": shape}
        inputs.append({**about, "parameters": {"binary_data_size": size}})
        tail += raw
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    if draw(st.booleans()):
        tail = _with_wrong_bytes(
            tail, draw(st.integers(0, max(0, len(tail) - 1))), draw(st.binary(max_size=9))
        )
    length = draw(st.sampled_from([b"%d" % len(head)] * 4 + [b"0", b"-1", b"9" * 30, b"", b"1e3", b"7"]))
    return ((b"Inference-Header-Content-Length", length),), head + tail


def _with_wrong_bytes(raw: bytes, place: int, wrong: bytes) -> bytes:
    return raw[:place] + wrong + raw[place + len(wrong) :]


def _feedback(token: Headers) -> Any:
    item = {"prediction_id": "01M80VFSQ13AC5AGJF64191C7M", "actual": 20.5}
    many = {"feedback": [item, {**item, "actual": "setosa"}], "on_error": "skip"}
    return (mangled(item) | mangled(many)).map(
        lambda body: Message("POST", b"/feedback", (*token, JSON), body)
    )


def _identity(token: Headers) -> Any:
    """Mostly wrong in form: each that is not costs the service a slow hash."""
    login = mangled({"username": None, "password": "long enough to be one"})
    refresh = mangled({"refresh_token": "x" * 20})
    form = st.lists(st.tuples(_names, st.text(max_size=20)), max_size=5).map(_form)
    return st.one_of(
        login.map(lambda body: Message("POST", b"/login", (JSON,), body)),
        refresh.map(lambda body: Message("POST", b"/auth/refresh", (JSON,), body)),
        form.map(lambda body: Message("POST", b"/auth/token", (FORM,), body)),
        form.map(lambda body: Message("POST", b"/auth/revoke", (FORM, *token), body)),
    )


_names = st.sampled_from(["grant_type", "scope", "token", "refresh_token", "client_id", "\udcff", "", "a"])


def _form(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "surrogatepass")


_values = st.binary(max_size=40).map(lambda raw: bytes(byte for byte in raw if byte > 31 and byte != 127))
_headers = st.lists(
    st.one_of(
        st.tuples(
            st.just(b"Content-Type"),
            st.sampled_from(
                [
                    b"application/json",
                    b"application/json; charset=utf-16",
                    b"text/plain",
                    b"*/*",
                    b"",
                    b";;;",
                    b"\xff",
                ]
            ),
        ),
        st.tuples(
            st.just(b"Accept"), st.sampled_from([b"*/*", b"text/html", b"", b",,,;q=9", b"application/*"])
        ),
        st.tuples(st.just(b"Content-Encoding"), st.sampled_from([b"gzip", b"br", b"identity", b""])),
        st.tuples(
            st.sampled_from(
                [b"traceparent", b"tracestate", b"X-Request-ID", b"X-Split-Key", b"Cookie", b"Forwarded"]
            ),
            _values,
        ),
        st.tuples(
            st.sampled_from([b"Authorization", b"X-Forwarded-For", b"X-HTTP-Method-Override"]), _values
        ),
        st.tuples(st.just(b"traceparent"), st.just(b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01")),
        st.tuples(st.just(b"Inference-Header-Content-Length"), _values),
    ),
    max_size=2,
).map(tuple)


def _anywhere(paths: Sequence[str], token: Headers) -> Any:
    known = st.sampled_from(sorted(paths)).map(str.encode)
    quoted = st.text(max_size=12).map(lambda text: b"".join(b"%%%02X" % byte for byte in text.encode()))
    made_up = st.builds(lambda path, more: path.rstrip(b"/") + b"/" + more, known, quoted)
    queries = st.sampled_from(
        [b"", b"?", b"?verbose", b"?limit=-1", b"?limit=9999999999999999999999", b"?%00=%ff"]
    )
    odd = st.sampled_from([text.encode() for text in ODD_TEXTS])
    return st.builds(
        lambda method, path, query, who, more, body: Message(method, path + query, (*who, *more), body),
        st.sampled_from(METHODS),
        st.one_of(known, known, made_up),
        queries,
        st.sampled_from([token, token, ()]),
        _headers,
        st.one_of(st.just(b""), odd, st.binary(max_size=30)),
    )
