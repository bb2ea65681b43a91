"""From a checkpoint's or an adapter's name to a local folder with its files, and the hash that rows carry.

Only safetensors are ever read: a pickle can run code. It loads no model.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.checkpoints import EMBEDDED, EMBEDDED_FOLDER
from pipeline.errors import CheckpointError, StorageError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_WANTED = (".safetensors", ".json", ".model")
_WORTH_REMEMBERING = 64 * 2**20
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def resolve(checkpoint: str, revision: str | None = None, cache: Path | None = None) -> Path:
    """Return the folder of a checkpoint: "embedded", a local folder, an s3:// prefix or a hub id.

    What is not local is fetched into `cache` (default: `$PAGEMILL_CACHE`, or `~/.cache/pagemill`; hub ids: the hub's own cache).
    Raises CheckpointError with what to do.
    """
    if checkpoint == EMBEDDED:
        _refuse_revision(checkpoint, revision)
        return EMBEDDED_FOLDER
    return _located(checkpoint, revision, cache, _Kind("checkpoint", "config.json"))


def resolve_adapter(adapter: str, cache: Path | None = None) -> Path:
    """Return the folder of a LoRA adapter: a local folder, an s3:// prefix or a hub id, fetched as checkpoints are.

    Raises CheckpointError with what to do.
    """
    return _located(adapter, None, cache, _Kind("adapter", "adapter_config.json"))


def checkpoint_hash(folder: Path, cache: Path | None = None) -> str:
    """Return the sha256, in hex, over names and contents of a folder's weights, configuration and tokenizer files.

    Hashing 50 GB takes a minute, so a large file's hash is kept in `cache` under its path, size and modification time.
    """
    total = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.suffix in _WANTED):
        total.update(f"{path.name}\0{_file_hash(path, (cache or cache_folder()) / 'hashes')}\0".encode())
    return total.hexdigest()


def cache_folder() -> Path:
    """Return where this machine keeps what can be fetched or worked out again."""
    configured = os.environ.get("PAGEMILL_CACHE")
    return Path(configured).expanduser() if configured else Path.home() / ".cache" / "pagemill"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a folder is looked at for: the word for it, and the file without which it is none."""

    word: str
    configuration: str


def _located(name: str, revision: str | None, cache: Path | None, kind: _Kind) -> Path:
    local = Path(name).expanduser()
    if name.startswith("s3://"):
        _refuse_revision(name, revision)
        return _from_bucket(name.rstrip("/"), (cache or cache_folder()) / f"{kind.word}s", kind)
    if name and local.is_dir():
        _refuse_revision(name, revision)
        return _whole(local.resolve(), kind)
    if _HUB_ID.fullmatch(name):
        return _whole(_from_hub(name, revision), kind)
    embedded = "`embedded`, " if kind.word == "checkpoint" else ""
    raise CheckpointError(f"no {kind.word} {name}: name {embedded}an existing folder, an s3:// prefix or a hub id (OWNER/NAME)")


def _refuse_revision(checkpoint: str, revision: str | None) -> None:
    if revision is not None:
        raise CheckpointError(f"`revision` goes with a hub id; {checkpoint} has none")


def _whole(folder: Path, kind: _Kind) -> Path:
    """Return the folder if it has a configuration and weights that may be read."""
    names = [path.name for path in folder.iterdir()]
    if kind.configuration not in names:
        raise CheckpointError(f"no {kind.word} in {folder}: it has no {kind.configuration}")
    if not any(name.endswith(".safetensors") for name in names):
        pickled = any(name.endswith(_PICKLES) for name in names)
        raise CheckpointError(
            f"{folder} has no .safetensors" + (": pickled weights are never read, convert them" if pickled else "")
        )
    return folder


def _from_bucket(prefix: str, cache: Path, kind: _Kind) -> Path:
    """Fetch the files right under an s3:// prefix, once for each state of it; a second process that was as quick loses nothing."""
    from pipeline.storage import open_store

    store = open_store(prefix)
    try:
        wanted = [
            (found, name)
            for found in store.list(prefix)
            if (name := found.uri.removeprefix(f"{prefix}/")).endswith(_WANTED) and re.fullmatch(r"\w[\w.-]*", name)
        ]
        if not wanted:
            raise CheckpointError(f"{prefix} holds no {kind.word}: nothing there ends in {', '.join(_WANTED)}")
        state = hashlib.sha256("\0".join(f"{found.uri}\0{found.version}" for found, _ in wanted).encode()).hexdigest()
        folder = cache / state[:32] / prefix.rsplit("/", 1)[-1]
        if folder.is_dir():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="fetching-") as scratch:
            for found, name in wanted:
                store.fetch(found.uri, found.version, Path(scratch) / name)
            _whole(Path(scratch), kind)
            _move_into_place(Path(scratch), folder)
    except StorageError as exc:
        raise CheckpointError(f"the {kind.word} {prefix} cannot be fetched: {exc}") from exc
    return folder


def _move_into_place(scratch: Path, folder: Path) -> None:
    try:
        scratch.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    else:
        scratch.mkdir()  # the temporary folder's owner will want to remove it


def _from_hub(repository: str, revision: str | None) -> Path:
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=[f"*{suffix}" for suffix in _WANTED]))
    except errors.GatedRepoError as exc:
        raise CheckpointError(
            f"{repository} is gated: accept its terms at https://huggingface.co/{repository} and set HF_TOKEN to a token of that account"
        ) from exc
    except errors.RepositoryNotFoundError as exc:
        raise CheckpointError(
            f"the hub has no {repository}, and there is no such folder; if it is private, set HF_TOKEN"
        ) from exc
    except errors.RevisionNotFoundError as exc:
        raise CheckpointError(f"{repository} has no revision {revision}") from exc
    except (OSError, errors.CacheNotFound, errors.CachedRepoTreeNotFoundError, ValueError) as exc:
        if refusal := _refusal(exc):
            raise CheckpointError(
                f"the hub refuses {repository} ({refusal}): set HF_TOKEN to a valid token of an account that may read it"
            ) from exc
        raise CheckpointError(
            f"{repository} is no folder here, and the hub cannot be reached ({exc}): "
            "name a local folder or an s3:// prefix, or fetch it once where there is a network"
        ) from exc


def _refusal(error: BaseException | None) -> str | None:
    """Return the hub's words where it was reached and let nobody in, which its client reports as a hub that it did not reach."""
    from huggingface_hub.errors import HfHubHTTPError

    while error is not None:
        if isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403):
            return error.server_message or f"HTTP {error.response.status_code}"
        error = error.__cause__ or error.__context__
    return None


def _file_hash(path: Path, cache: Path) -> str:
    status = path.stat()
    if status.st_size < _WORTH_REMEMBERING:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    key = hashlib.sha256(f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}".encode()).hexdigest()
    note = cache / f"{key}.json"
    try:
        return str(json.loads(note.read_text())["sha256"])
    except (OSError, ValueError, KeyError):
        pass
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        scratch = cache / f"{key}.{os.getpid()}"
        scratch.write_text(json.dumps({"path": str(path), "sha256": digest}))
        shutil.move(scratch, note)
    except OSError:
        pass  # a home that can't be written costs time, not truth
    return digest
