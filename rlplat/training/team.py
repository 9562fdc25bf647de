"""Processes that make one learner together: how they find each other and what they exchange. No Ray here.

The first process, the leader, is the learner that the rest of the run sees; the others follow its orders. Orders and
batches travel over gloo, between host memories; gradients over NCCL between GPUs, and over gloo otherwise.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from torch import Tensor
    from torch.distributed import ProcessGroup

END = 0
"""The order that ends a follower."""
MEETING_TIMEOUT = timedelta(minutes=10)
"""For all processes to come: each loads torch and may have a game to compile."""
ORDER_TIMEOUT = timedelta(days=365)
"""A follower waits for orders as long as collectors need for their games; a process that dies is noticed at once."""


@dataclass(frozen=True)
class MeetingPoint:
    """Where the followers find the leader."""

    address: str
    port: int
    size: int
    """Processes of the team, the leader included."""


class Team:
    """One process's side of the team. Every process makes the same calls in the same order.

    Made by `Team.open` in the leader and `Team.join` in the followers. There can be one in a process at a time.
    """

    def __init__(self, store: Any, rank: int, size: int, *, address: str) -> None:
        _use_interface_of(address)
        _distributed().init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=ORDER_TIMEOUT)
        self.rank, self.size = rank, size
        self.group: ProcessGroup | None = _distributed().group.WORLD
        """Over which tensors on the device travel."""

    @staticmethod
    def open(address: str, size: int) -> tuple[Any, MeetingPoint]:
        """Let followers find this process at `address`, one of this machine; the port is any that is free.

        Nothing but `address` is listened on: who reaches it could send orders, so it is the loopback address where all
        processes are on one machine.
        """
        listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        listener.bind((address, 0))
        port = listener.getsockname()[1]
        store = _distributed().TCPStore(
            address,
            port,
            is_master=True,
            timeout=MEETING_TIMEOUT,
            wait_for_workers=False,
            master_listen_fd=listener.detach(),
        )
        return store, MeetingPoint(address, port, size)

    @classmethod
    def lead(cls, store: Any, point: MeetingPoint) -> Team:
        """Be the leader; waits for the followers."""
        return cls(store, 0, point.size, address=point.address)

    @classmethod
    def join(cls, point: MeetingPoint, rank: int, *, address: str) -> Team:
        """Be follower `rank`, 1 to size - 1; `address` is that of this machine."""
        store = _distributed().TCPStore(point.address, point.port, is_master=False, timeout=MEETING_TIMEOUT)
        return cls(store, rank, point.size, address=address)

    def work_on(self, device: str) -> None:
        """Say where the tensors will lie: "cpu", or "cuda", where every process must have a GPU of its own."""
        self.group = _distributed().new_group(backend="nccl") if device == "cuda" else _distributed().group.WORLD

    @property
    def is_leader(self) -> bool:
        return self.rank == 0

    def tell(self, order: int, number: int = 0) -> None:
        """Give the followers an order; the leader's alone to call."""
        self._exchange_order([order, number])

    def hear(self) -> tuple[int, int]:
        """Wait for the leader's next order, and its number."""
        order, number = self._exchange_order([0, 0])
        return order, number

    def share_out(self, share: Tensor, whole: Tensor | None) -> None:
        """Fill the `share` `[B / size, ...]` of every process with its rows of the leader's `whole` `[B, ...]`; on the
        host.
        """
        import torch

        shares = None if whole is None else list(torch.split(whole, len(share)))
        _distributed().scatter(share, shares, src=0)

    def send_out(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite the tensors of the followers by the leader's, on the device."""
        for tensor in tensors:
            _distributed().broadcast(tensor, src=0, group=self.group)

    def add_up(self, tensor: Tensor) -> None:
        """Replace a tensor on the device by its sum over the processes, equal in all of them."""
        _distributed().all_reduce(tensor, group=self.group)

    def close(self) -> None:
        """End the followers, if this is the leader, and leave."""
        try:
            if self.is_leader:
                self.tell(END)
        finally:
            _distributed().destroy_process_group()

    def _exchange_order(self, order: list[int]) -> list[int]:
        import torch

        tensor = torch.tensor(order)
        _distributed().broadcast(tensor, src=0)
        numbers: list[Any] = tensor.tolist()
        return numbers


def _distributed() -> Any:
    """`torch.distributed`, loaded when it is needed; much of it is untyped."""
    import torch.distributed

    return torch.distributed


def _use_interface_of(address: str) -> None:
    """Have gloo and NCCL talk over the network interface of an address, unless the user has chosen one.

    By default they take that of the host's name, which need not be where the others are, nor the loopback.
    """
    for name, addresses in psutil.net_if_addrs().items():
        if any(each.address == address for each in addresses):
            os.environ.setdefault("GLOO_SOCKET_IFNAME", name)
            os.environ.setdefault("NCCL_SOCKET_IFNAME", name)
