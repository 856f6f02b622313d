"""The network under a request: connects to checked addresses only, and never waits beyond the request's time.

The name of a host is looked up once and the address found is the one connected to, so that a second answer of the name
server (DNS rebinding) leads nowhere. TLS is verified against the name.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias

import httpcore

from ..outside_hosts import Network
from ..setting_values import is_this_machine

Address: TypeAlias = IPv4Address | IPv6Address
#: Looks up a host; the addresses as text.
LookUp = Callable[[str, int], list[str]]

_NAT64 = ip_network("64:ff9b::/96")


class ForbiddenAddress(Exception):
    """The host has only addresses that may not be called."""


class OutOfTime(Exception):
    """The time of the request is over."""


class BoundedNetwork(httpcore.NetworkBackend):
    """The connections of one request, until *seconds* from now; inner addresses only in *networks*."""

    def __init__(self, networks: Iterable[Network], seconds: float, look_up: LookUp | None = None) -> None:
        self._networks = tuple(networks)
        self._end = time.monotonic() + seconds
        self._look_up = look_up or _look_up

    def left(self) -> float:
        """Seconds left; raises `OutOfTime`."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise OutOfTime
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 the library's signature; ours is the time of the whole request
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        allowed = [address for address in self._addresses(host, port) if self._is_allowed(host, address)]
        if not allowed:
            raise ForbiddenAddress
        failure: OSError = OSError("no address")
        for address in allowed:
            try:
                return BoundedStream(socket.create_connection((str(address), port), timeout=self.left()), self)
            except OSError as error:
                failure = error
        self.left()  # out of time rather than unreachable
        raise failure

    def _addresses(self, host: str, port: int) -> list[Address]:
        """The addresses of *host*. Name servers may take their time, so the look-up has a thread of its own."""
        found: list[str] = []
        failed: list[OSError] = []

        def look_up() -> None:
            try:
                found.extend(self._look_up(host, port))
            except (OSError, UnicodeError) as error:  # the latter for a name that cannot be one
                failed.append(OSError(type(error).__name__))

        looking = threading.Thread(target=look_up, daemon=True)
        looking.start()
        looking.join(self.left())
        self.left()
        if failed:
            raise failed[0]
        return [ip_address(text.partition("%")[0]) for text in dict.fromkeys(found)]

    def _is_allowed(self, host: str, address: Address) -> bool:
        inner = _embedded(address)
        if any(inner.version == network.version and inner in network for network in self._networks):
            return True
        if is_this_machine(host) and inner.is_loopback:
            return True
        return str(address) == host or (inner.is_global and not inner.is_multicast)


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, address))[1]


def _look_up(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class BoundedStream(httpcore.NetworkStream):
    """A connection whose every wait ends with the time of its request."""

    def __init__(self, connection: socket.socket, network: BoundedNetwork) -> None:
        self._socket, self._network = connection, network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        self._socket.settimeout(self._network.left())
        try:
            return self._socket.recv(max_bytes)
        except TimeoutError:
            raise OutOfTime from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        rest = memoryview(buffer)
        while rest:
            self._socket.settimeout(self._network.left())
            try:
                rest = rest[self._socket.send(rest) :]
            except TimeoutError:
                raise OutOfTime from None
            except OSError as error:  # the server may have answered before it had read everything
                raise httpcore.WriteError from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        self._socket.settimeout(self._network.left())
        try:
            return BoundedStream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._network)
        except TimeoutError:
            self.close()
            raise OutOfTime from None
        except OSError:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        return False if info == "is_readable" else None
