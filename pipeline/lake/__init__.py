"""Iceberg, behind one adapter: nothing outside this package knows PyIceberg. Imported only where a sink has tables, as it takes a second."""

from pipeline.lake.tables import GENERATION, Lake

__all__ = ["GENERATION", "Lake"]
