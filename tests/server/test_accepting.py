"""How connections are accepted."""

from __future__ import annotations

import socket
from collections import Counter
from contextlib import ExitStack

import gevent
from gevent import Timeout
from gevent.pool import Pool

from susracker.server.run import Server
from tests.waiting import PATIENCE

MANY = 50


def test_few_connections_are_accepted_in_each_turn_of_the_event_loop():
    """However many come, requests on the others get on after a few of them."""
    listener = Server.get_listener(("127.0.0.1", 0), backlog=MANY, family=socket.AF_INET)
    server = Server(listener, None, spawn=Pool(MANY), log=None)
    turn, turns = 0, []

    def next_turn():
        nonlocal turn
        turn += 1

    def accepted(connection, address):
        turns.append(turn)
        connection.close()

    server.set_handle(accepted)
    with ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        watcher = gevent.get_hub().loop.check()
        watcher.start(next_turn)
        stack.callback(watcher.stop)
        server.start()
        stack.callback(server.stop)
        with Timeout(PATIENCE):
            while len(turns) < MANY:
                gevent.sleep(0)
    assert max(Counter(turns).values()) <= Server.max_accept < 20
