"""moto's S3 behind the policies of deploy/iam: what they do not allow is refused, as strictly as Amazon may read them.

An object that is not there is a denial here, because the right to list is bound to prefixes.
"""

import fnmatch
import io
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

FOLDER = Path(__file__).parents[2] / "deploy" / "iam"
STATEMENTS = [statement for path in sorted(FOLDER.glob("*.json")) for statement in json.loads(path.read_text())["Statement"]]
# A request by its method, whether it names a key, and the one word of its query that matters.
ACTIONS = {
    ("GET", False, "list-type"): "s3:ListBucket",
    ("POST", False, "delete"): "s3:DeleteObject",
    ("GET", True, ""): "s3:GetObject",
    ("HEAD", True, ""): "s3:GetObject",
    ("PUT", True, ""): "s3:PutObject",
    ("POST", True, "uploads"): "s3:PutObject",
    ("PUT", True, "uploadId"): "s3:PutObject",
    ("POST", True, "uploadId"): "s3:PutObject",
    ("DELETE", True, "uploadId"): "s3:AbortMultipartUpload",
}
_DENIED = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"

Start = Callable[..., object]


def allowed(action: str, bucket: str, key: str = "", prefix: str = "") -> bool:
    """Return whether the policies allow a request, as S3 judges it."""
    resource = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    return any(
        action in listed(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        and _conditions_hold(statement, prefix)
        for statement in STATEMENTS
    )


class Guard:
    """The server's application. `asked` are the actions that were allowed, by bucket; `refused` what was not."""

    def __init__(self) -> None:
        self._behind = DomainDispatcherApplication(create_backend_app)
        self.asked: set[tuple[str, str]] = set()
        self.refused: list[str] = []
        self.is_open = True

    def __call__(self, environ: dict[str, object], start: Start) -> Iterable[bytes]:
        """Answer one request."""
        if self.is_open:
            return self._behind(environ, start)  # type: ignore[no-any-return]
        if not self._may(environ):
            return _denied(start)
        told: list[tuple[str, list[tuple[str, str]]]] = []
        content = b"".join(self._behind(environ, lambda status, headers, *_: told.append((status, headers))))
        status, headers = told[0]
        if status.startswith("404") and environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            return _denied(start)
        start(status, headers)
        return [content]

    def _may(self, environ: dict[str, object]) -> bool:
        path, query = str(environ["PATH_INFO"]), parse_qs(str(environ["QUERY_STRING"]), keep_blank_values=True)
        bucket, _, key = path.lstrip("/").partition("/")
        word = next((each for each in ("list-type", "delete", "uploads", "uploadId") if each in query), "")
        request = (str(environ["REQUEST_METHOD"]), bool(key), word)
        action = ACTIONS.get(request, "nothing")
        keys = self._deleted(environ) if word == "delete" else [key]
        if not all(allowed(action, bucket, each, query.get("prefix", [""])[0]) for each in keys):
            self.refused.append(f"{request} {path} {query}")
            return False
        self.asked.add((bucket, action))
        return True

    def _deleted(self, environ: dict[str, object]) -> list[str]:
        body = environ["wsgi.input"].read(int(str(environ["CONTENT_LENGTH"])))  # type: ignore[attr-defined]
        environ["wsgi.input"] = io.BytesIO(body)
        return [unquote(key) for key in re.findall(r"<Key>(.*?)</Key>", body.decode())]


@contextmanager
def running() -> Iterator[tuple[Guard, str]]:
    """Run the server; yield its guard, which is still open, and its url."""
    guard = Guard()
    server = make_server("127.0.0.1", 0, guard, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield guard, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


def _denied(start: Start) -> list[bytes]:
    start("403 Forbidden", [("Content-Type", "application/xml"), ("Content-Length", str(len(_DENIED)))])
    return [_DENIED]


def _conditions_hold(statement: dict[str, dict[str, dict[str, list[str]]]], prefix: str) -> bool:
    patterns = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", ["*"])
    return any(fnmatch.fnmatchcase(prefix, pattern) for pattern in patterns)


def listed(value: str | list[str]) -> list[str]:
    """Return a policy's one word or several as several."""
    return [value] if isinstance(value, str) else value
