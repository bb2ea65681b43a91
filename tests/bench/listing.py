"""Listing against the plainest walk that asks for the same facts, in one run; and its memory over 10^6 names.

    python tests/bench/listing.py [--files 100000] [--names 1000000]

Prints seconds a walk with os.scandir takes, those of the store's listing and of the whole step (glob, shapes, ids, Parquet), as ratios
to the first; then how much resident memory grows while an inventory of so many names becomes a manifest.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.listing import list_source, write_manifest
from pipeline.storage import open_store
from schemas.job import Source

FILES_PER_FOLDER = 1000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=100_000)
    options.add_argument("--names", type=int, default=1_000_000)
    options.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.memory_of is not None:
        print(_memory_of(chosen.memory_of))
        return
    _times(chosen.files)
    small, large = (
        int(subprocess.check_output([sys.executable, __file__, "--memory-of", str(n)])) for n in (10_000, chosen.names)
    )
    print(f"peak memory: {small / 1024:.0f} MB over 10,000 names, {large / 1024:.0f} MB over {chosen.names:,}")


def _times(files: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        for number in range(files):
            place = source / f"{number // FILES_PER_FOLDER:05d}"
            if number % FILES_PER_FOLDER == 0:
                place.mkdir(parents=True)
            (place / f"document-{number:07d}.pdf").touch()
        store = open_store(folder)
        job = Source(uri=str(source), include=("**/*.pdf",))
        walk = _best(lambda: _walk(str(source)))
        listed = _best(lambda: sum(1 for _ in store.list(str(source))))
        step = _best(lambda: write_manifest(list_source(job, sink_uri=f"{folder}/out"), store, f"{folder}/manifest"))
    print(f"{files:,} files: os.scandir {walk:.2f} s; store.list {listed / walk:.1f}; whole step {step / walk:.1f} times that")


def _walk(folder: str) -> int:
    count = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                count += _walk(entry.path)
            else:
                entry.stat()
                count += 1
    return count


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _memory_of(names: int) -> int:
    """Return this process's peak memory in KB after listing an inventory of so many names."""
    with tempfile.TemporaryDirectory() as folder:
        inventory = Path(folder) / "inventory.csv"
        with inventory.open("w") as file:
            file.write("uri,size,version\n")
            file.writelines(f"s3://bucket/in/{number:09d}/document.pdf,1000,{number:032x}\n" for number in range(names))
        write_manifest(
            list_source(Source(uri="s3://bucket", inventory=str(inventory))), open_store(folder), f"{folder}/manifest"
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
