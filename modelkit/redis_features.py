"""Where features are kept in Redis, as materialising writes them and serving reads them: one hash per view.

Field `m` describes the set; field `k<key>` is a packed row. The whole set is replaced by one RENAME, so that a reader, who
asks for `m` and rows in one command, sees one set or the other. The braces keep both hashes on one node of a cluster.
"""

from __future__ import annotations

META_FIELD = b"m"


def set_name(view: str) -> bytes:
    return b"slipway:features:{%s}" % view.encode()


def row_field(key: str) -> bytes:
    return b"k" + key.encode("utf-8", "surrogatepass")
