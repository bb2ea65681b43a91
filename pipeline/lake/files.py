"""How PyIceberg reaches files: through our own store, with its credentials, its endpoint and its bounded retries."""

import io
from typing import cast

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream

from pipeline.errors import StorageError
from pipeline.storage import Store, canonical
from pipeline.storage.uris import is_s3

STORE = "pagemill-store"
"""The catalog's property under which the store itself travels to StoreIO, which PyIceberg makes from properties alone."""

_ODD = "%#?"  # engines disagree on how an Iceberg path with one of these is spelled


def location(uri: str) -> str:
    """Return a uri as Iceberg's metadata spells it: s3://… or file:///…"""
    if any(character in uri for character in _ODD):
        raise StorageError(
            f"{uri}: Iceberg tables cannot lie where a name holds one of {' '.join(_ODD)}; choose another `sink.uri`"
        )
    return uri.rstrip("/") if is_s3(uri) else f"file://{canonical(uri)}"


class StoreIO(FileIO):
    """Files of the store that its properties hold."""

    def new_input(self, location: str) -> InputFile:
        return _In(location, self._store)

    def new_output(self, location: str) -> OutputFile:
        return _Out(location, self._store)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        self._store.delete([location if isinstance(location, str) else location.location])

    @property
    def _store(self) -> Store:
        return cast("Store", self.properties[STORE])


class _In(InputFile):
    def __init__(self, location: str, store: Store) -> None:
        super().__init__(location)
        self._store = store

    def __len__(self) -> int:
        return self._store.stat(self.location).size_bytes

    def exists(self) -> bool:
        return self._store.exists(self.location)

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 (the Protocol's)
        return cast("InputStream", io.BytesIO(self._store.read(self.location)))


class _Out(OutputFile):
    def __init__(self, location: str, store: Store) -> None:
        super().__init__(location)
        self._store = store

    def __len__(self) -> int:
        return self._store.stat(self.location).size_bytes

    def exists(self) -> bool:
        return self._store.exists(self.location)

    def to_input_file(self) -> InputFile:
        return _In(self.location, self._store)

    def create(self, overwrite: bool = False) -> OutputStream:
        if not overwrite and self.exists():
            raise FileExistsError(self.location)
        return cast("OutputStream", _Written(self.location, self._store))


class _Written(io.BytesIO):
    """A file in the making, put into the store as it is closed; not at all where writing it failed."""

    def __init__(self, location: str, store: Store) -> None:
        super().__init__()
        self._location, self._store = location, store

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self.close()
        else:
            super().close()

    def close(self) -> None:
        if not self.closed:
            data = self.getvalue()
            super().close()
            self._store.write(self._location, data)
