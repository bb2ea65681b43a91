"""What the child may do to the machine it runs on: die with its parent, write nothing, leave no core file, use bounded memory.

Linux only. It knows nothing of documents.
"""

import ctypes
import os
import resource
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def die_with(parent_pid: int) -> None:
    """Have the kernel kill this process when the thread that started it ends; exit at once if that has happened already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        raise SystemExit(0)


def forbid_writing() -> None:
    """Let this process write to no file (pipes and shared memory are none), and leave no core file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def bound_memory(more_bytes: int) -> None:
    """Allow so much address space on top of what this process holds now, its libraries being loaded."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + more_bytes, held + more_bytes))
