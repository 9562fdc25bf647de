"""A cluster of several nodes on this machine, in a process of its own; standard input says which come and go.

    add NAME CPUS    start a node
    remove NAME      kill it without warning

Each line is answered by one on standard output; the first line there is the cluster's address. It ends with its input.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

STORE_BYTES = 100 << 20


def main() -> None:
    import ray
    from ray.cluster_utils import Cluster

    # The head gives out nothing, so that the run's parts lie on the nodes that come and go.
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False},
    )
    nodes = {}
    try:
        print(cluster.address, flush=True)
        for line in sys.stdin:
            verb, name, *cpus = line.split()
            if verb == "add":
                nodes[name] = cluster.add_node(num_cpus=int(cpus[0]), object_store_memory=STORE_BYTES)
            else:
                cluster.remove_node(nodes.pop(name), allow_graceful=False)
            print(f"{verb} {name}", flush=True)
    finally:
        cluster.shutdown()
        ray.shutdown()


class Nodes:
    """The other side of it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.address = self._answer()

    def add(self, name: str, num_cpus: int) -> None:
        self._ask(f"add {name} {num_cpus}")

    def remove(self, name: str) -> None:
        self._ask(f"remove {name}")

    def _ask(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the cluster ended"
        return line


@contextmanager
def cluster_of_nodes(environment: Mapping[str, str]) -> Iterator[Nodes]:
    """A cluster with a head that gives out nothing, and no other node yet."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Nodes(process)
    finally:
        process.communicate(timeout=60)


if __name__ == "__main__":
    main()
