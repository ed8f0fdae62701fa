"""Whoever lets strangers say where a server dials must know where it dials."""

import io
from collections.abc import Sequence

import pytest

from dragoman.config.settings import OutgoingSettings
from dragoman.server.outgoing import MAX_REDIRECTS, NotAllowed, Outgoing, OutgoingError, TooLarge, Unreachable
from tests.fakes.hosts import HANG, FakeHost, answer, hosting

HERE = {"hosts": ["127.0.0.1", "here.test"], "networks": ["127.0.0.0/8"]}
LIMIT_S = 60.0


class FakeNames:
    """Names and their addresses; each time the next one."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names = names
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.names["name"].pop(0)


def outgoing(*addresses: Sequence[str], **settings: object) -> Outgoing:
    """Where every name has these addresses, in turn."""
    told = OutgoingSettings.model_validate({"fetch_s": 1.0, "webhook_s": 1.0, **HERE, **settings})
    return Outgoing(told, FakeNames(name=[[*one] for one in addresses]))


async def fetched(there: Outgoing, url: str, limit_bytes: int = 100, limit_s: float = LIMIT_S) -> bytes:
    file = io.BytesIO()
    size = await there.fetch(url, file, limit_bytes, limit_s)
    assert size == len(file.getvalue())
    return file.getvalue()


@pytest.mark.parametrize(
    ("hosts", "url", "allowed"),
    [
        ([], "https://a.test/x", False),
        (["a.test"], "https://a.test/x", True),
        (["A.Test."], "https://a.TEST.:8443/x?y", True),
        (["a.test"], "https://b.a.test/x", False),
        (["a.test"], "https://a.test.evil.test/x", False),
        (["*.a.test"], "https://c.b.a.test/x", True),
        (["*.a.test"], "https://a.test/x", False),
        (["*.a.test"], "https://evila.test/x", False),
        (["*"], "http://whatever", True),
        (["::1"], "http://[::1]:80/", True),
        (["*"], "ftp://a.test/x", False),
        (["*"], "file:///etc/passwd", False),
        (["*"], "https://user:word@a.test/x", False),
        (["a.test"], "https://a.test@b.test/x", False),
        (["a.test"], "https://b.test\\@a.test/x", False),
        (["*"], "https://a.test/x y", False),
        (["*"], "https://a.test/x\r\nHost: b.test", False),
        (["*"], "https://ä.test/", False),
        (["*"], "https://a.test:99999/", False),
        (["*"], "https://[::1/", False),
        (["*"], "https://[fe80::1%25eth0]/", False),
        (["*"], "https:///x", False),
        (["*"], "", False),
        (["*"], "https://a.test/" + "x" * 5_000, False),
    ],
)
def test_which_hosts_may_be_asked(hosts: list[str], url: str, allowed: bool) -> None:
    there = outgoing(hosts=hosts)
    assert there.allowed == bool(hosts)
    if allowed:
        assert there.target(url)
    else:
        with pytest.raises(NotAllowed):
            there.target(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "239.1.1.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff0e::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::1",
    ],
)  # fmt: skip
async def test_addresses_inside_are_not_dialled(address: str) -> None:
    there = outgoing([address], hosts=["*"], networks=[])
    with pytest.raises(NotAllowed, match=r"outgoing\.networks"):
        await fetched(there, "http://a.test/x")


async def test_a_number_is_a_name_and_what_it_leads_to_counts() -> None:
    for number in ("2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"):
        there = Outgoing(outgoing(hosts=["*"], networks=[])._settings)
        with pytest.raises(OutgoingError):
            await fetched(there, f"http://{number}:1/")


async def test_a_network_may_be_named() -> None:
    async with hosting(x=answer(200, b"sound")) as host:
        assert await fetched(outgoing(["127.0.0.1"]), f"http://here.test:{host.port}/x") == b"sound"
        assert await fetched(outgoing(["::ffff:127.0.0.1", "127.0.0.1"]), f"http://here.test:{host.port}/x") == b"sound"
        with pytest.raises(NotAllowed):
            await fetched(outgoing(["127.0.0.1"], networks=["10.0.0.0/8"]), f"http://here.test:{host.port}/x")
    (_, _, headers, _) = host.asked[0]
    assert headers["host"] == f"here.test:{host.port}"
    assert headers["accept-encoding"] == "identity"


async def test_the_address_that_was_looked_at_is_the_one_that_is_dialled() -> None:
    async with hosting(x=answer(200, b"sound")) as host:
        # What the name leads to later, or besides, is of no interest.
        there = outgoing(["10.0.0.1", "127.0.0.1"], ["10.0.0.1"])
        assert await fetched(there, f"http://here.test:{host.port}/x") == b"sound"
        assert there._backend._resolve.asked == 1  # type: ignore[attr-defined]


async def test_what_comes_is_bounded() -> None:
    chunked = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + b"32\r\n" + b"x" * 50 + b"\r\n"
    async with hosting(a=answer(200, b"x" * 101), b=chunked * 1 + chunked[-56:] * 2, c=answer(200, b"x" * 100)) as host:
        for path in "ab":
            with pytest.raises(TooLarge, match="more than 100 bytes"):
                await fetched(outgoing(["127.0.0.1"]), f"{host.url}/{path}")
        assert len(await fetched(outgoing(["127.0.0.1"]), f"{host.url}/c")) == 100


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (answer(404), "answered with status 404"),
        (answer(204), "answered with status 204"),
        (answer(200), "what is there is empty"),
        (b"SSH-2.0-x\r\n", "did not answer as HTTP has it"),
        (b"HTTP/1.1 200 X\r\nContent-Length: 50\r\n\r\nshort", "did not answer as HTTP has it"),
        (b"HTTP/1.1 200 X\r\n" + b"X: y\r\n" * 50_000, "did not answer as HTTP has it"),
        (b"HTTP/1.1 200 X\r\nContent-Length: -1\r\n\r\n", "did not answer as HTTP has it"),
    ],
)
async def test_hosts_that_answer_something_else(told: bytes, text: str) -> None:
    async with hosting(x=told) as host:
        with pytest.raises(Unreachable, match=text):
            await fetched(outgoing(["127.0.0.1"]), f"{host.url}/x")


async def test_hosts_that_do_not_answer() -> None:
    async with hosting(x=HANG) as host:
        with pytest.raises(Unreachable, match="took too long"):
            await fetched(outgoing(["127.0.0.1"]), f"{host.url}/x", limit_s=0.05)
        with pytest.raises(Unreachable, match="took too long"):
            await outgoing(["127.0.0.1"]).post(f"{host.url}/x", [], b"{}", 0.05)
    with pytest.raises(Unreachable, match="could not be reached"):
        await fetched(outgoing(["127.0.0.1"]), f"{host.url}/x")
    with pytest.raises(Unreachable, match="could not be reached"):
        await fetched(outgoing([]), f"{host.url}/x")


async def moved(host: FakeHost, where: str) -> bytes:
    host.answers["/from"] = [answer(302, b"", f"Location: {where}")]
    return await fetched(outgoing(*[["127.0.0.1"]] * 10), f"{host.url}/from")


async def test_only_the_same_host_is_followed() -> None:
    async with hosting(x=answer(200, b"sound")) as host:
        assert await moved(host, "/x") == b"sound"
        assert await moved(host, f"{host.url}/x") == b"sound"
        with pytest.raises(Unreachable, match="pointed to another one"):
            await moved(host, f"http://here.test:{host.port}/x")
        for elsewhere in ("http://169.254.169.254/latest", "file:///etc/passwd", "//evil.test/x", ""):
            with pytest.raises(OutgoingError):
                await moved(host, elsewhere)
        before = len(host.asked)
        with pytest.raises(Unreachable, match="more than 3 times"):
            await moved(host, "/from")
        assert len(host.asked) - before == MAX_REDIRECTS + 1


async def test_something_is_told() -> None:
    async with hosting(hook=answer(202), moved=answer(307, b"", "Location: /hook")) as host:
        assert await outgoing(["127.0.0.1"]).post(f"{host.url}/hook", [("X-Key", "k")], b'{"a":1}', LIMIT_S) == 202
        assert await outgoing(["127.0.0.1"]).post(f"{host.url}/moved", [], b"{}", LIMIT_S) == 307
    (method, path, headers, body), _ = host.asked
    assert (method, path, headers["x-key"], body) == ("POST", "/hook", "k", b'{"a":1}')
    assert headers["content-type"] == "application/json"
