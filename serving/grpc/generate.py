"""Makes the modules of `open_inference_grpc.proto` again, after it was changed: `python -m serving.grpc.generate`.

Needs grpcio-tools, which no image has; a test holds what is committed against what this makes.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
PROTOCOL = "open_inference_grpc.proto"
GENERATED = ("open_inference_grpc_pb2.py", "open_inference_grpc_pb2.pyi")


def generate(folder: Path) -> None:
    """Writes the modules into `folder`. Raises RuntimeError where the compiler refuses the file."""
    from grpc_tools import protoc

    wanted = [f"--proto_path={HERE}", f"--python_out={folder}", f"--pyi_out={folder}", PROTOCOL]
    if protoc.main(["protoc", *wanted]) != 0:
        raise RuntimeError(f"{PROTOCOL} does not compile")


if __name__ == "__main__":
    generate(HERE)
