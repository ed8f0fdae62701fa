"""Forms with a file: read as they come, however they are cut, within bounds."""

from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.pipeline.offload import Offload
from dragoman.server.multipart import MAX_FIELDS, BadForm, Form, FormTooLarge, read_form

KIND = "multipart/form-data; boundary=bb"


@pytest.fixture
def worker() -> Iterator[Offload]:
    one = Offload(threads=1)
    yield one
    one.close()


def form(*parts: tuple[str, bytes], file: str = "file") -> bytes:
    pieces = []
    for name, data in parts:
        as_file = '; filename="upload"\r\nContent-Type: application/octet-stream' if name == file else ""
        head = f'--bb\r\nContent-Disposition: form-data; name="{name}"{as_file}\r\n\r\n'
        pieces.append(head.encode() + data + b"\r\n")
    return b"".join(pieces) + b"--bb--\r\n"


async def read(body: bytes, worker: Offload, size: int = 1_000, kind: str = KIND, limit: int = 1 << 20) -> Form:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    return await read_form(pieces(), kind, worker, file="file", limit_bytes=limit, fields_bytes=1_000)


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
async def test_however_it_is_cut(worker: Offload, size: int) -> None:
    file = b"\r\n--b\r\n" * 100 + bytes(range(256)) * 300
    body = form(("model", b"a"), ("file", file), ("prompt", "दिल्ली".encode()), ("model", b"b"))
    found = await read(body, worker, size)
    assert (found.fields, found.size) == ({"model": "b", "prompt": "दिल्ली"}, len(file))
    assert found.file is not None
    assert found.file.read() == file
    found.close()
    assert found.file.closed


async def test_a_file_may_be_empty_or_not_there(worker: Offload) -> None:
    found = await read(form(("file", b"")), worker)
    assert (found.size, found.fields) == (0, {})
    found.close()
    found = await read(form(), worker)
    assert (found.file, found.size) == (None, 0)
    found.close()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form(("file", b"x")), "application/json"),
        (form(("file", b"x")), "multipart/form-data"),
        (form(("file", b"x")), f"multipart/form-data; boundary={'b' * 300}"),
        (form(("file", b"x")), ""),
        (form(("file", b"x"))[:-10], KIND),
        (form(("file", b"x"), ("file", b"y")), KIND),
        (form(*[("a", b"x")] * (MAX_FIELDS + 1)), KIND),
        (form(("a", b"\xff")), KIND),
        (form(("n" * 300, b"x")), KIND),
        (b"--bb\r\n\r\nx\r\n--bb--\r\n", KIND),
        (b"--bb\r\nContent-Disposition: attachment\r\n\r\nx\r\n--bb--\r\n", KIND),
        (b"--bb\r\n" + b"a: b\r\n" * 1_000, KIND),
        (b"--bb\r\n" + b"a" * 100_000, KIND),
        (b"no form", KIND),
        (b"", KIND),
    ],
)
async def test_what_is_no_form(worker: Offload, body: bytes, kind: str) -> None:
    with pytest.raises(BadForm):
        await read(body, worker, kind=kind)


async def test_no_more_is_read_than_may_come(worker: Offload) -> None:
    read_bytes = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal read_bytes
        for start in range(0, len(body), 1_000):
            read_bytes += 1_000
            yield body[start : start + 1_000]

    body = form(("file", bytes(100_000)))
    with pytest.raises(FormTooLarge) as whole:
        await read_form(pieces(), KIND, worker, file="file", limit_bytes=10_000, fields_bytes=1_000)
    assert not whole.value.without_file
    assert read_bytes == 11_000
    body, read_bytes = form(("prompt", bytes(100_000))), 0
    with pytest.raises(FormTooLarge) as field:
        await read_form(pieces(), KIND, worker, file="file", limit_bytes=1 << 20, fields_bytes=5_000)
    assert field.value.without_file
    assert read_bytes <= 7_000


@given(
    st.lists(
        st.sampled_from([b"--bb", b"--", b"\r\n", b"Content-Disposition: form-data; name=", b'"file"', b'"a"', b": "])
        | st.binary(max_size=20),
        max_size=30,
    ),
    st.sampled_from([1, 5, 1_000]),
    st.sampled_from([KIND, 'multipart/form-data; boundary="b\\"b"', "multipart/form-data; boundary=;", "x" * 50]),
)
async def test_whatever_comes_is_read_or_refused(parts: list[bytes], size: int, kind: str) -> None:
    worker = Offload(threads=1)
    try:
        (await read(b"".join(parts), worker, size, kind)).close()
    except (BadForm, FormTooLarge):
        pass
    finally:
        worker.close()
