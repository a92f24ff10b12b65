"""Loaded by every Python process of a guarded run: records and refuses connections that leave this machine."""

import ipaddress
import os
import socket
import sys

_LOG = os.environ["MLT_SOCKET_GUARD_LOG"]


def _local(family: int, address: object) -> bool:
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return True
    host = str(address[0]) if isinstance(address, tuple) else str(address)
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(what: str, address: object) -> None:
    with open(_LOG, "a", encoding="utf-8") as log:
        log.write(f"{what} {address} by {sys.argv}\n")
    raise PermissionError(f"the socket guard refuses {what} {address}")


_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def _guarded_connect(self: socket.socket, address: object) -> None:
    if not _local(self.family, address):
        _refuse("connect", address)
    return _connect(self, address)  # type: ignore[arg-type]


def _guarded_connect_ex(self: socket.socket, address: object) -> int:
    if not _local(self.family, address):
        _refuse("connect", address)
    return _connect_ex(self, address)  # type: ignore[arg-type]


def _guarded_getaddrinfo(host: object, *args: object, **kwargs: object) -> object:
    name = host.decode() if isinstance(host, bytes) else host
    if name is not None and not _local(socket.AF_INET, (name,)) and name != socket.gethostname():
        _refuse("look up", name)
    return _getaddrinfo(host, *args, **kwargs)  # type: ignore[arg-type]


socket.socket.connect = _guarded_connect  # type: ignore[assignment,method-assign]
socket.socket.connect_ex = _guarded_connect_ex  # type: ignore[assignment,method-assign]
socket.getaddrinfo = _guarded_getaddrinfo  # type: ignore[assignment]
