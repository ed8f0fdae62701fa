"""What a server's process holds, and that clients leave nothing of it behind."""

from dataclasses import dataclass
from urllib.request import urlopen

import psutil

from dragoman.testing import RunningServer
from tests.waiting import until


@dataclass(frozen=True)
class Held:
    """What there is while nobody is connected."""

    descriptors: int
    threads: int
    children: int
    tasks: int

    def exceeds(self, before: "Held", clients: int) -> bool:
        """Whether more is held than `before`, when so many clients have come and gone.

        Pools start their threads when they are first needed, so a few more are no leak; one for each client would be.
        """
        return (
            self.descriptors > before.descriptors
            or self.threads > before.threads + clients // 4
            or self.children > before.children
            or self.tasks > before.tasks
        )


def held(server: RunningServer) -> Held:
    """What the server holds, once no session runs and every client's socket is gone."""
    process = psutil.Process(server.process.pid)
    until(lambda: not server.get_json("/ready")["sessions"], "no session runs")
    until(lambda: not clients(process), "every client's socket is closed")
    return Held(process.num_fds(), process.num_threads(), len(process.children(recursive=True)), tasks(server))


def nothing_stays(server: RunningServer, before: Held, clients: int) -> None:
    """Wait until no more is held than `before`; `clients` have come and gone since."""
    until(lambda: not held(server).exceeds(before, clients), f"no more is held than {before}")


def clients(process: psutil.Process) -> int:
    """How many TCP connections the process has open."""
    return sum(one.status != psutil.CONN_LISTEN for one in process.net_connections("tcp"))


def tasks(server: RunningServer) -> int:
    """How many asyncio tasks the server counts."""
    return int(float(metrics(server)["dragoman_asyncio_tasks"]))


def metrics(server: RunningServer) -> dict[str, str]:
    """Every series of `/metrics` with its value."""
    with urlopen(server.url + "/metrics") as response:
        lines = response.read().decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
