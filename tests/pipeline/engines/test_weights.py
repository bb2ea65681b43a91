"""Checkpoint names become local folders, or errors that say what to do."""

import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from huggingface_hub import errors

from pipeline.checkpoints import EMBEDDED_FOLDER
from pipeline.engines import weights
from pipeline.engines.weights import checkpoint_hash, resolve
from pipeline.errors import CheckpointError
from pipeline.storage import open_store


def test_embedded_and_local_folders_are_where_they_are(lively) -> None:
    """Nothing is copied."""
    assert resolve("embedded") == EMBEDDED_FOLDER
    assert resolve(str(lively("paligemma", 224))) == lively("paligemma", 224).resolve()


@pytest.mark.parametrize(
    ("name", "words"), [("/no/such/folder", "no checkpoint"), ("", "no checkpoint"), ("a/b/c", "no checkpoint")]
)
def test_what_is_nothing_is_an_error(name: str, words: str) -> None:
    """The message says what may be named."""
    with pytest.raises(CheckpointError, match=words):
        resolve(name)


def test_a_revision_needs_a_hub_id() -> None:
    """A folder has no revisions."""
    with pytest.raises(CheckpointError, match="revision"):
        resolve("embedded", revision="main")


def test_pickled_weights_are_never_read(lively, tmp_path: Path) -> None:
    """A checkpoint with pytorch_model.bin alone is refused, and told why."""
    folder = shutil.copytree(lively("paligemma", 224), tmp_path / "old")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="pickled"):
        resolve(str(folder))


def test_a_bucket_is_fetched_once_and_again_when_it_changes(lively, tmp_path: Path, s3_uri: str) -> None:
    """The fetched files are the bucket's, without pickles or deeper folders; a changed object makes a new folder."""
    prefix, store, source = f"{s3_uri}/pg-3b-mix-224", open_store(s3_uri), lively("paligemma", 224)
    for path in source.iterdir():
        store.upload(path, f"{prefix}/{path.name}")
    store.write(f"{prefix}/optimizer.pt", b"a pickle")
    store.write(f"{prefix}/step-1/config.json", b"{}")
    folder = resolve(f"{prefix}/", cache=tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in source.iterdir())
    assert checkpoint_hash(folder) == checkpoint_hash(source)
    assert folder.name == "pg-3b-mix-224"
    assert resolve(prefix, cache=tmp_path) == folder
    store.write(f"{prefix}/generation_config.json", b"{}")
    assert resolve(prefix, cache=tmp_path) != folder
    assert not list((tmp_path / "checkpoints").glob("fetching-*"))


def test_a_bucket_without_a_checkpoint_is_an_error(tmp_path: Path, s3_uri: str) -> None:
    """An empty prefix says so."""
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        resolve(f"{s3_uri}/nothing", cache=tmp_path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.GatedRepoError, "huggingface.co/google/paligemma2-3b-mix-448.*HF_TOKEN"),
        (errors.RepositoryNotFoundError, "HF_TOKEN"),
        (errors.RevisionNotFoundError, "revision v9"),
        (errors.LocalEntryNotFoundError, "local folder or an s3"),
        (errors.OfflineModeIsEnabled, "local folder or an s3"),
    ],
)
def test_the_hub_s_refusals_name_the_cure(monkeypatch: pytest.MonkeyPatch, error: type[Exception], words: str) -> None:
    """Gated, private or missing, unknown revision, no network: each says what to do."""

    def refuse(*_: object, **__: object) -> str:
        raise error.__new__(error)

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(CheckpointError, match=words):
        resolve("google/paligemma2-3b-mix-448", revision="v9")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ((403, {"X-Error-Code": "GatedRepo"}), r"accept its terms at https://huggingface\.co/google/paligemma2-3b-mix-448"),
        ((404, {"X-Error-Code": "RevisionNotFound"}), "no revision v9"),
        ((401, {"X-Error-Message": "Invalid credentials"}), "refuses .*Invalid credentials.*HF_TOKEN"),
        ((403, {}), "refuses .*HTTP 403.*HF_TOKEN"),
    ],
)
def test_what_a_hub_answers_by_http_names_the_cure(says: tuple[int, dict[str, str]], words: str, tmp_path: Path) -> None:
    """Asked over HTTP, with the token of the environment, a hub's own answers become the right advice: the client's errors vary by release."""

    class Hub(BaseHTTPRequestHandler):
        tokens: ClassVar[set[str | None]] = set()

        def do_GET(self) -> None:
            if "paligemma2" in self.path:
                self.tokens.add(self.headers.get("Authorization"))
            self.send_response(says[0])
            for name, value in (says[1] | {"Content-Length": "0"}).items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        places = {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
        asked = "from pipeline.engines.weights import resolve; resolve('google/paligemma2-3b-mix-448', 'v9')"
        done = subprocess.run(
            [sys.executable, "-c", asked],
            env={**os.environ, **places, "HF_TOKEN": "hf_mine", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=False,
        )
        hub.shutdown()
    assert re.search(f"CheckpointError: .*{words}", done.stderr, re.DOTALL), done.stderr
    assert Hub.tokens == {"Bearer hf_mine"}


def test_the_hub_is_asked_for_safetensors_alone(monkeypatch: pytest.MonkeyPatch, lively) -> None:
    """No pickle and no code is ever downloaded."""
    asked: dict[str, object] = {}

    def answer(repository: str, **wishes: object) -> str:
        asked.update(wishes, repository=repository)
        return str(lively("paligemma", 224))

    monkeypatch.setattr("huggingface_hub.snapshot_download", answer)
    resolve("google/paligemma2-3b-mix-448", revision="abc")
    assert (asked["repository"], asked["revision"]) == ("google/paligemma2-3b-mix-448", "abc")
    assert set(map(str, asked["allow_patterns"])) == {"*.safetensors", "*.json", "*.model"}


def test_the_hash_covers_weights_configuration_and_tokenizer(lively, tmp_path: Path) -> None:
    """A change to any of them is another hash; a card or a renamed folder is not."""
    folder = shutil.copytree(lively("paligemma", 224), tmp_path / "copy")
    before = checkpoint_hash(folder)
    assert before == checkpoint_hash(lively("paligemma", 224))
    (folder / "README.md").write_text("a card")
    assert checkpoint_hash(folder) == before
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content + b" ")
        assert checkpoint_hash(folder) != before, name
        (folder / name).write_bytes(content)
    assert checkpoint_hash(folder) == before


def test_a_large_file_is_hashed_once(monkeypatch: pytest.MonkeyPatch, lively, tmp_path: Path) -> None:
    """The kept hash is taken while size and time are the same, and dropped when they are not; nothing is written beside the weights."""
    monkeypatch.setattr(weights, "_WORTH_REMEMBERING", 1)
    folder = shutil.copytree(lively("paligemma", 224), tmp_path / "copy")
    names = sorted(path.name for path in folder.iterdir())
    before = checkpoint_hash(folder, tmp_path / "cache")
    config = folder / "config.json"
    status = config.stat()
    config.write_bytes(config.read_bytes().replace(b"paligemma", b"Paligemma"))
    os.utime(config, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert checkpoint_hash(folder, tmp_path / "cache") == before, "it was hashed again"
    config.touch()
    assert checkpoint_hash(folder, tmp_path / "cache") != before
    assert sorted(path.name for path in folder.iterdir()) == names
