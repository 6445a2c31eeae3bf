"""A TCP relay on this machine that cuts connections."""

import contextlib
import socket
import threading


class Relay:
    """Passes bytes on to another port of this machine; each connection may be given so many of them towards the client, then it ends."""

    def __init__(self, port):
        self._target = ("127.0.0.1", port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.allowance = None
        self.cuts = 0

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client):
        with contextlib.suppress(OSError), client, socket.create_connection(self._target) as server:
            threading.Thread(target=self._pass, args=(client, server, None), daemon=True).start()
            self._pass(server, client, self.allowance)

    def _pass(self, source, sink, allowance):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16 if allowance is None else min(allowance, 1 << 16)):
                sink.sendall(data)
                if allowance is not None:
                    allowance -= len(data)
                    if allowance <= 0:
                        self.cuts += 1
                        break
            sink.shutdown(socket.SHUT_RDWR)
