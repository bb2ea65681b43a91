"""What the child may do to the machine it runs on: read files and compute, with bounded memory, until its parent ends. Nothing else.

Limits of resources hold everywhere. Where the kernel has them, two more walls stand: Landlock (5.13 and later) and a filter of system
calls; with either, no file can be made, changed or removed, no program started, no network reached. Linux only. It knows nothing of
documents.
"""

import ctypes
import os
import resource
import signal
from pathlib import Path

from pipeline.documents.syscalls import filter_syscalls

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CAPABILITIES_V3, _READ_ANY_FILE = (
    0x20080522,
    0b110,
)  # CAP_DAC_OVERRIDE, which Landlock keeps from writing, and CAP_DAC_READ_SEARCH
_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # Landlock's calls, the same on every architecture
_VERSION = 1
# Rights over files by the version of Landlock that brought them: all but reading files and folders. See linux/landlock.h.
_EXECUTE, _WRITE_FILE, _REMOVE_AND_MAKE, _REFER, _TRUNCATE = 1 << 0, 1 << 1, 0b1_1111_1111 << 4, 1 << 13, 1 << 14
_BIND_AND_CONNECT_TCP, _ABSTRACT_SOCKETS_AND_SIGNALS = 0b11, 0b11


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


def close_off() -> None:
    """Take from this process what it has no use for, whatever a document makes of it: changing files, programs, networks, others' memory.

    It holds for this thread and those that it starts from now on. What the kernel does not know is left out.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")
    _drop_capabilities(libc)
    _landlock(libc)
    filter_syscalls()


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Keep of root's powers, where there are any, only that of reading others' files: a document may belong to anyone."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    held = (ctypes.c_uint32 * 6)()  # twice: effective, permitted, inheritable
    if libc.capget(ctypes.byref(header), ctypes.byref(held)) == 0:
        kept = (ctypes.c_uint32 * 6)(held[0] & _READ_ANY_FILE, held[1] & _READ_ANY_FILE, 0, 0, 0, 0)
        libc.capset(ctypes.byref(header), ctypes.byref(kept))


def _landlock(libc: ctypes.CDLL) -> None:
    """Allow no path anything but to be read. A confined process also sees into no other: not into its parent's environment."""
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return
    files = _EXECUTE | _WRITE_FILE | _REMOVE_AND_MAKE
    files |= (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    network = _BIND_AND_CONNECT_TCP if version >= 4 else 0
    scoped = _ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0
    rights = (ctypes.c_uint64 * 3)(files, network, scoped)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rights), ctypes.c_size_t(ctypes.sizeof(rights)), 0)
    if ruleset >= 0:
        libc.syscall(_RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)


def bound_memory(more_bytes: int) -> None:
    """Allow so much address space on top of what this process holds now, its libraries being loaded."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + more_bytes, held + more_bytes))
