"""A socket's whole name has to fit into 107 bytes."""

import socket
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pipeline.errors import StorageError
from pipeline.sockets import LONGEST, SHORT, folder_for


def test_a_socket_can_be_had_in_the_folder_that_is_named():
    """The given one as long as there is room, to the byte, and a short one beyond that; the kernel agrees."""
    name = "/a-socket"
    with TemporaryDirectory(dir=SHORT) as place:
        folder = Path(place, "x" * (LONGEST - len(place) - 1 - len(name)))
        folder.mkdir()
        assert folder_for(name, str(folder), setting="TMPDIR") == str(folder)
        assert folder_for(name + "s", str(folder), setting="TMPDIR") == SHORT
        with closing(socket.socket(socket.AF_UNIX)) as there:
            there.bind(str(folder) + name)
        with closing(socket.socket(socket.AF_UNIX)) as there, pytest.raises(OSError, match="too long"):
            there.bind(str(folder) + name + "s")


def test_bytes_count_and_not_letters():
    """Names of folders are UTF-8 where a socket is made."""
    assert folder_for("/s", "/" + "e" * 60, setting="TMPDIR") != SHORT
    assert folder_for("/s", "/" + "é" * 60, setting="TMPDIR") == SHORT


def test_where_no_folder_will_do_it_is_said_what_to_name():
    """Before anything starts."""
    with pytest.raises(StorageError, match=r"too long a name for sockets.* name a folder with a short name by RAY_TMPDIR"):
        folder_for("/s", "/" + "x" * 120, setting="RAY_TMPDIR", short="/no/such/folder")
