"""What an image holds is compared by content, and weighed by part."""

from __future__ import annotations

import io
import tarfile

from deploy.image.contents import Contents, differences, read_contents
from deploy.image.sizes import Share, share_name, shares, table

SITE = "app/.venv/lib/python3.11/site-packages"


def archive(files: dict[str, bytes], *, time: int = 0, mode: int = 0o644) -> Contents:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), time, mode
            tar.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("app/link")
        link.type, link.linkname = tarfile.SYMTYPE, "a"
        tar.addfile(link)
    stream.seek(0)
    return read_contents(stream)


def test_builds_at_different_times_are_equal() -> None:
    first, second = archive({"app/a": b"1"}, time=1), archive({"app/a": b"1"}, time=2)
    assert first.digest == second.digest
    assert differences(first, second) == []


def test_every_difference_is_named() -> None:
    first = archive({"app/a": b"1", "app/b": b"same"})
    second = archive({"app/a": b"2", "app/b": b"same", "app/c": b""})
    assert differences(first, second) == ["app/a: content", "app/c: only in the second"]
    assert first.digest != second.digest


def test_permissions_count() -> None:
    assert differences(archive({"a": b""}), archive({"a": b""}, mode=0o755)) == ["a: mode"]


def test_what_the_engine_adds_to_a_container_is_not_of_the_image() -> None:
    assert set(archive({"etc/hosts": b"x", ".dockerenv": b"", "app/a": b"1"}).entries) == {
        "app/a",
        "app/link",
    }


def test_a_part_is_a_package_with_its_metadata_and_its_libraries() -> None:
    found = {
        share_name(f"{SITE}/{path}")
        for path in ("numpy/core.py", "numpy.libs/blas.so", "numpy-2.4.6.dist-info/RECORD")
    }
    assert found == {"numpy"}


def test_bytecode_sources_models_and_base_are_parts_of_their_own() -> None:
    contents = archive(
        {
            f"{SITE}/numpy/__pycache__/a.pyc": b"1" * 3,
            "app/bento/src/serving/a.py": b"1" * 2,
            "app/bento/src/baked/models/iris/model.onnx": b"1" * 4,
            "usr/bin/python3": b"1" * 5,
        }
    )
    found = {share.name: share.size for share in shares(contents)}
    assert found == {"base image": 5, "baked models and features": 4, "bytecode": 3, "sources": 2}


def test_the_table_ends_with_the_sum_beside_the_budget() -> None:
    parts = [Share(name=f"p{number}", size=1_000_000) for number in range(20)]
    lines = table(parts, budget_mb=900).splitlines()
    assert lines[-1].startswith("| **sum**, budget 900 | **20.0** |")
    assert "| 5 more | 5.0 | 25 |" in lines
