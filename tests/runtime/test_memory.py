"""Memory that is freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.torture.processes import needs_proc

PROGRAM = """
import sys, threading
from susracker.runtime.memory import hold_little_memory
from tests.torture.processes import resident_bytes
import os

if sys.argv[1] == "little":
    hold_little_memory()

def work(barrier):
    for size in (4_000_000, 2_000_000, 1_500_000):
        kept = [bytes(size)]  # once freed, glibc takes this size from arenas
        kept.clear()
    for _ in range(3):
        kept = [bytes(1_500_000) for _ in range(3)]
        small = bytes(600)  # in use at the end of the arena
        barrier.wait()  # all of it at the same time
        del kept
    barrier.wait()

barrier = threading.Barrier(16)
threads = [threading.Thread(target=work, args=(barrier,)) for _ in range(16)]
before = resident_bytes(os.getpid())
for one in threads: one.start()
for one in threads: one.join()
print(resident_bytes(os.getpid()) - before)
"""


def kept(mode: str) -> int:
    """Bytes that a process holds after its threads have freed everything."""
    return int(subprocess.check_output([sys.executable, "-c", PROGRAM, mode], text=True))


@needs_proc
@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has these options")
def test_threads_leave_little_behind():
    assert kept("little") < 0.5 * kept("as it is") + 1_000_000


PIECES = """
import os
from susracker.runtime.memory import give_memory_back
from tests.torture.processes import resident_bytes

before = resident_bytes(os.getpid())
pieces = [bytes(4000) for _ in range(25_000)]
pieces = pieces[::10]  # those in use keep the others from the system
print(resident_bytes(os.getpid()) - before)
give_memory_back()
print(resident_bytes(os.getpid()) - before)
"""


@needs_proc
@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps it")
def test_what_was_freed_between_pieces_in_use_goes_back():
    told = subprocess.check_output([sys.executable, "-c", PIECES], text=True)
    kept, left = map(int, told.split())
    assert left < 0.5 * kept
