"""A filter of system calls (seccomp) for a process that only reads: it changes no file, starts no program and reaches no network.

Linux on x86-64 and ARM64; elsewhere there is no filter. A call that is filtered fails with EPERM, as if the permissions were lacking.
"""

import ctypes
import errno
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF's instructions
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; an argument takes eight bytes
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_X32 = 0x40000000  # the bit of x86-64's second table of calls
_CLONE_THREAD = 0x00010000
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True, slots=True)
class _Machine:
    """The numbers of an architecture's calls."""

    audit: int
    refused: tuple[int, ...]
    clone: int
    opening: tuple[tuple[int, int], ...]  # a call, and which of its arguments holds the flags
    absent: tuple[
        int, ...
    ]  # calls whose arguments a filter cannot see: as if the kernel were older, so that libc takes another


# Files: creat, (un)link, symlink, rename, mkdir, rmdir, mknod, truncate, chmod, chown, utime, xattr. Network: socket, socketpair,
# connect, bind, listen. Processes: fork, vfork, execve, kill, ptrace, process_vm_*, pidfd_*. The rest is what only an attack asks
# for: mount, chroot, namespaces, keys, bpf, perf, userfaultfd, io_uring, handles. Names and numbers: asm/unistd_64.h, asm-generic/unistd.h.
_MACHINES = {
    "x86_64": _Machine(
        audit=0xC000003E,
        refused=(
            *(76, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94, 132, 133, 188, 189, 190, 197, 198, 199, 235),
            *(258, 259, 260, 261, 263, 264, 265, 266, 268, 280, 316, 452, 463, 466),
            *(41, 42, 49, 50, 53),
            *(57, 58, 59, 62, 101, 310, 311, 322, 424, 434, 438),
            *(155, 161, 165, 166, 175, 246, 248, 249, 250, 272, 298, 303, 304, 308, 313, 321, 323, 425, 428, 429, 430, 442),
        ),
        clone=56,
        opening=((2, 1), (257, 2)),
        absent=(435, 437),
    ),
    "aarch64": _Machine(
        audit=0xC00000B7,
        refused=(
            *(5, 6, 7, 14, 15, 16, 33, 34, 35, 36, 37, 38, 45, 52, 53, 54, 55, 88, 276, 452, 463, 466),
            *(198, 199, 200, 201, 203),
            *(117, 129, 221, 270, 271, 281, 424, 434, 438),
            *(39, 40, 41, 51, 97, 104, 105, 217, 218, 219, 241, 264, 265, 268, 273, 280, 282, 425, 428, 429, 430, 442),
        ),
        clone=220,
        opening=((56, 2),),
        absent=(435, 437),
    ),
}


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("value", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(_Instruction)))


def filter_syscalls() -> bool:
    """Filter this process's system calls from now on; return whether that is possible here. PR_SET_NO_NEW_PRIVS must be set."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    lines = _program(machine)
    program = _Program(len(lines), (_Instruction * len(lines))(*(_Instruction(*line) for line in lines)))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _program(machine: _Machine) -> Sequence[tuple[int, int, int, int]]:
    """Return the filter; a jump counts the instructions that it leaps over."""
    denied, absent, allowed = (
        (_RETURN, 0, 0, _FAIL | errno.EPERM),
        (_RETURN, 0, 0, _FAIL | errno.ENOSYS),
        (_RETURN, 0, 0, _ALLOW),
    )
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, machine.audit),
        denied,
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        denied,
    ]
    for number in machine.refused:
        lines += [(_EQUAL, 0, 1, number), denied]
    for number in machine.absent:
        lines += [(_EQUAL, 0, 1, number), absent]
    for number, flags in machine.opening:
        lines += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, _ARGUMENTS + 8 * flags), (_ANY_BIT, 0, 1, _WRITES), denied, allowed]
    lines += [(_EQUAL, 0, 4, machine.clone), (_LOAD, 0, 0, _ARGUMENTS), (_ANY_BIT, 1, 0, _CLONE_THREAD), denied, allowed]
    return [*lines, allowed]
