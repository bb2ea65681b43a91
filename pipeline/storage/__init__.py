"""Local paths and S3 behind one small interface. It knows nothing of documents, pages or Parquet."""

from pipeline.storage.base import Store, StoredObject
from pipeline.storage.local import LocalStore
from pipeline.storage.uris import canonical, is_s3, is_within, join

__all__ = ["Store", "StoredObject", "canonical", "is_within", "join", "open_store"]


def open_store(uri: str) -> Store:
    """Return the store that holds this uri; nothing is contacted yet. One store serves every uri of its kind."""
    if is_s3(uri):
        from pipeline.storage.s3 import S3Store

        return S3Store()
    return LocalStore()
