"""The host's process: serves the engine that started it on a port that it prints, until it is told to end."""

import os
import signal
import sys
from concurrent import futures

# Before anything slow is imported: the engine may interrupt us at once, and prints what an unhandled signal says.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: os._exit(0))

import grpc  # noqa: E402
from pulumi.runtime.proto import language_pb2_grpc  # noqa: E402

from .server import Host  # noqa: E402

UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
# Every policy pack and folder provider holds one thread for as long as it runs.
THREADS = 64


def main() -> None:
    """Serve; the engine's address is the last argument."""
    server = grpc.server(futures.ThreadPoolExecutor(THREADS), options=UNLIMITED)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(sys.argv[-1]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


main()
