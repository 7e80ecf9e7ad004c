"""A port that speaks TLS and plainly, in front of a server without TLS: the wheel's Valkey is built without it."""

import socket
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

_HANDSHAKE = b"\x16"
"""The first byte of a TLS connection."""


class _Front(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, behind: int, context: ssl.SSLContext, *, plain: bool) -> None:
        self.behind, self.context, self.plain = behind, context, plain
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(socketserver.BaseRequestHandler):
    server: _Front

    def handle(self) -> None:
        with suppress(OSError):
            secured = self.request.recv(1, socket.MSG_PEEK) == _HANDSHAKE
            if not secured and not self.server.plain:
                return
            near = self.server.context.wrap_socket(self.request, server_side=True) if secured else self.request
            with near, socket.create_connection(("127.0.0.1", self.server.behind)) as far:
                back = Thread(target=_pump, args=(far, near), daemon=True)
                back.start()
                _pump(near, far)
                back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def tls_front(behind: int, context: ssl.SSLContext, *, plain: bool = False) -> Iterator[int]:
    """A port in front of the port ``behind``; with ``plain`` it also passes connections without TLS."""
    with _Front(behind, context, plain=plain) as front:
        Thread(target=front.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield front.server_address[1]
        finally:
            front.shutdown()
