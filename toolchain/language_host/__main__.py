"""The host's process: serves the engine that started it on a port that it prints, until it is told to end."""

import os
import signal
import sys
import threading
import time
from concurrent import futures
from typing import NoReturn

# Before anything slow is imported: the engine may interrupt us at once, and prints what an unhandled signal says.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: os._exit(0))

ENGINE = os.getppid()

import grpc  # noqa: E402
from pulumi.runtime.proto import language_pb2_grpc  # noqa: E402

from .server import Host  # noqa: E402

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
# Every policy pack and folder provider holds one thread for as long as it runs.
THREADS = 64
LOOK_SECONDS = 1.0


def main() -> None:
    """Serve; the engine's address is the last argument."""
    host = Host(sys.argv[-1])
    server = grpc.server(futures.ThreadPoolExecutor(THREADS), options=UNLIMITED)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end(host))
    threading.Thread(target=follow_engine, args=(host,), daemon=True).start()
    print(port, flush=True)
    server.wait_for_termination()


def follow_engine(host: Host) -> None:
    """End when the engine is gone: killed, it tells nobody."""
    while os.getppid() == ENGINE:
        time.sleep(LOOK_SECONDS)
    end(host)


def end(host: Host) -> NoReturn:
    """End at once, with everything that runs on behalf of the engine."""
    host.children.end()
    os._exit(0)


main()
