"""An Iceberg REST catalog on loopback, as far as Pagemill asks one: namespaces, staged creation, loading and committing. Behind it lies SQLite."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pydantic import TypeAdapter
from pyiceberg.catalog import load_catalog
from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.table import Table
from pyiceberg.table.update import TableRequirement, TableUpdate

TOKEN = "the-token-of-the-test"  # noqa: S105


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Serve a catalog whose SQLite file lies in the folder, to who shows the token, and give its url."""
    server = _Server(folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        server.catalog.close()


class _Server(ThreadingHTTPServer):
    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.catalog = load_catalog("behind", type="sql", uri=f"sqlite:///{folder}/behind.db")
        self.staged: dict[tuple[str, ...], Table] = {}
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_GET  # noqa: N815

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                code, said = 401, _error(401, "NotAuthorizedException", "no token")
            else:
                code, said = self._said(self.path.split("?")[0].strip("/").split("/")[1:], json.loads(body or b"{}"))
        data = json.dumps(said).encode() if said is not None else b""
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _said(self, path: list[str], asked: dict[str, object]) -> tuple[int, object]:
        match self.command, path:
            case _, ["config"]:
                return 200, {"defaults": {}, "overrides": {}}
            case "POST", ["namespaces"]:
                self.server.catalog.create_namespace_if_not_exists(tuple(asked["namespace"]))
                return 200, {"namespace": asked["namespace"], "properties": {}}
            case "POST", ["namespaces", namespace, "tables"]:
                return 200, _loaded(self._stage((namespace, str(asked["name"])), asked))
            case "POST", ["namespaces", namespace, "tables", name]:
                return self._commit((namespace, name), asked)
            case _, ["namespaces", namespace, "tables", name]:
                try:
                    return 200, _loaded(self.server.catalog.load_table((namespace, name)))
                except NoSuchTableError as error:
                    return 404, _error(404, "NoSuchTableException", str(error))
            case _, ["namespaces", namespace]:
                known = self.server.catalog.namespace_exists(namespace)
                return (
                    (200, {"namespace": [namespace], "properties": {}})
                    if known
                    else (404, _error(404, "NoSuchNamespaceException", "no"))
                )
        return 404, _error(404, "NotFound", self.path)

    def _stage(self, name: tuple[str, ...], asked: dict[str, object]) -> Table:
        request = CreateTableRequest.model_validate(asked)
        creation = self.server.catalog.create_table_transaction(
            name, request.table_schema, request.location, properties=request.properties or {}
        )
        self.server.staged[name] = creation._table
        return creation._table

    def _commit(self, name: tuple[str, ...], asked: dict[str, object]) -> tuple[int, object]:
        try:
            table = self.server.staged.pop(name, None) or self.server.catalog.load_table(name)
            requirements = TypeAdapter(tuple[TableRequirement, ...]).validate_python(asked["requirements"])
            updates = TypeAdapter(tuple[TableUpdate, ...]).validate_python(asked["updates"])
            done = self.server.catalog.commit_table(table, requirements, updates)
        except CommitFailedException as error:
            return 409, _error(409, "CommitFailedException", str(error))
        return 200, json.loads(done.model_dump_json())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _loaded(table: Table) -> dict[str, object]:
    metadata = json.loads(table.metadata.model_dump_json())
    return {"metadata-location": table.metadata_location, "metadata": metadata, "config": {}}


def _error(code: int, kind: str, message: str) -> dict[str, object]:
    return {"error": {"code": code, "type": kind, "message": message}}
