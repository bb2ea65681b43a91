"""An engine without a model: it answers from documents' known truth, or, of an unknown document, with a digest of what it was shown.

For tests and dry runs. Its answers depend on the very view and prompt, so a wrong picture, crop or question shows up as a wrong answer.
A "checkpoint" is a folder of NAME.truth.json files (schemas.truth), with scripted.json beside them where the defaults won't do.
"""

import hashlib
import os
import re
import signal
import threading
import time
import zlib
from collections.abc import Sequence
from functools import lru_cache
from math import expm1, hypot, log
from pathlib import Path

from pydantic import Field, ValidationError

from pipeline.engines.following import has_form
from pipeline.engines.misreading import UNANSWERABLE, misread
from pipeline.engines.reader import read
from pipeline.engines.refusal import failed, why_unusable
from pipeline.engines.weights import checkpoint_hash
from pipeline.errors import CheckpointError, EngineDied
from schemas.shape import Shape
from schemas.truth import DocumentTruth, PageTruth
from schemas.view import Completion, Request, View

_DOCUMENT_ID = re.compile(rb'"document_id"\s*:\s*"([0-9a-f]{64})"')
# About as long as PaliGemma's tokens, so that a limit on tokens cuts about where it would cut a model.
_TOKEN = re.compile(r"<loc\d{4}>|<seg\d{3}>| ?\w{1,4}| ?[^\w\s]|\s")
_EOS = 1
_SURE, _GUESSED = -0.001, -2.0
_KEPT = 64
_LEAST = 1e-9


class Settings(Shape):
    """scripted.json: how long each request takes, and the pages ("document_id/page_index") that the engine dies of.

    Of the pages in `kills_on` it takes its whole process down, as an engine does that runs out of memory. `misread_rate` is how often
    it misreads a letter (misreading.py), by `seed`; where a point of the page has fewer than `sharp_from` pixels, oftener by the square
    of how many times fewer.
    """

    misread_rate: float = Field(default=0.0, ge=0, le=1)
    sharp_from: float = Field(default=0.0, ge=0)
    seed: int = 0
    seconds_per_request: float = Field(default=0.0, ge=0)
    dies_on: frozenset[str] = frozenset()
    kills_on: frozenset[str] = frozenset()


def misread_completion(page: PageTruth, text: str, request: Request, rate: float, seed: int) -> Completion:
    """Return what a reader who errs says to a request whose true answer is `text`."""
    view = request.view
    others = [field.value.value_text for field in page.fields if field.value.value_text not in (None, text)]
    is_field = any(field.question in request.prompt for field in page.fields)
    where = f"{seed}/{view.document_id}/{view.page_index}"
    asked = f"{where}/{view.region.name}/{view.resolution}/{request.prompt}"
    wrong = misread(
        _TOKEN.findall(text), [_TOKEN.findall(each) for each in others if each] if is_field else (), rate, where, asked
    )
    return _completed(wrong.pieces, (*wrong.logprobs, _SURE), request)


def pixels_per_point(view: View) -> float:
    """Return how many pixels of the view a point of the page has, along the side where it has fewer."""
    affine = view.region.frame
    return view.resolution / max(hypot(affine.a, affine.b), hypot(affine.c, affine.d), _LEAST)


class ScriptedEngine:
    """Answers from truth. Deterministic, and the same whatever else is asked beside."""

    def __init__(self, folder: Path | None, resolution: int) -> None:
        """Index the truth in `folder`; None knows no document. Raises CheckpointError for files that are not what they should be."""
        self._resolution = resolution
        self._paths = _index(folder) if folder else {}
        self._settings = _settings(folder) if folder else Settings()
        self._hash = checkpoint_hash(folder) if folder else hashlib.sha256(b"scripted").hexdigest()
        self._document = lru_cache(maxsize=_KEPT)(self._load)
        self._closed = threading.Event()

    @property
    def name(self) -> str:
        return "scripted 1"

    @property
    def resolution(self) -> int:
        return self._resolution

    @property
    def checkpoint_hash(self) -> str:
        return self._hash

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        return [self._answer(request) for request in requests]

    def close(self) -> None:
        self._closed.set()

    def _answer(self, request: Request) -> Completion:
        if self._closed.is_set():
            raise EngineDied("the engine was closed")
        if reason := why_unusable(request, self._resolution):
            return failed(reason)
        page = f"{request.view.document_id}/{request.view.page_index}"
        if page in self._settings.kills_on:
            os.kill(os.getpid(), signal.SIGKILL)
        if page in self._settings.dies_on:
            raise EngineDied(f"as scripted, on page {request.view.page_index} of {request.view.document_id}")
        if self._settings.seconds_per_request:
            time.sleep(self._settings.seconds_per_request)
        known = self._page(request.view)
        region = request.view.region
        text = None if known is None else read(known, region.affine, request.prompt, torn=True, frame=region.frame)
        if known is None or text is None:
            return _formed(_completed(*_pieces(_digest(request), _GUESSED), request), request)
        if not self._settings.misread_rate:
            return _formed(_completed(*_pieces(text, _SURE), request), request)
        blur = max(1.0, self._settings.sharp_from / pixels_per_point(request.view)) ** 2
        said = misread_completion(known, text, request, min(1.0, self._settings.misread_rate * blur), self._settings.seed)
        return _formed(said, request)

    def _page(self, view: View) -> PageTruth | None:
        if view.document_id not in self._paths:
            return None
        pages = self._document(view.document_id).pages
        return next((page for page in pages if page.page_index == view.page_index), None)

    def _load(self, document_id: str) -> DocumentTruth:
        path = self._paths[document_id]
        try:
            return DocumentTruth.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as exc:
            raise EngineDied(f"{path} cannot be read: {exc}") from exc


def _index(folder: Path) -> dict[str, Path]:
    """Return where each document's truth lies. Only the ids are read now: glyph places of many documents would fill the memory."""
    found = {}
    for path in sorted(folder.glob("*.truth.json")):
        match = _DOCUMENT_ID.search(path.read_bytes())
        if match is None:
            raise CheckpointError(f"{path} names no document_id: it is no truth file")
        found[match[1].decode()] = path
    return found


def _settings(folder: Path) -> Settings:
    path = folder / "scripted.json"
    try:
        return Settings.model_validate_json(path.read_bytes()) if path.exists() else Settings()
    except ValidationError as exc:
        raise CheckpointError(f"{path}: {exc}") from exc


def _digest(request: Request) -> str:
    seen = hashlib.sha256(request.view.image.tobytes())
    seen.update(request.prompt.encode())
    return f"scripted {seen.hexdigest()[:16]}"


def _formed(said: Completion, request: Request) -> Completion:
    """Return what is said where it has the form that is asked for; else, as it has no other words, that the page does not say."""
    if request.form is None or has_form(request.form, said.text):
        return said
    return _completed(UNANSWERABLE, [_GUESSED] * (len(UNANSWERABLE) + 1), request)


def _pieces(text: str, logprob: float) -> tuple[list[str], list[float]]:
    pieces = _TOKEN.findall(text)
    return pieces, [logprob] * (len(pieces) + 1)


def _completed(pieces: Sequence[str], logprobs: Sequence[float], request: Request) -> Completion:
    """Return an answer of these pieces, each with its log-probability, and eos with the one that is left over."""
    whole = len(pieces) < request.max_tokens  # eos takes one
    kept = pieces if whole else pieces[: request.max_tokens]
    token_ids = [*(2 + zlib.crc32(piece.encode()) for piece in kept), *([_EOS] if whole else [])]
    said = tuple(logprobs[: len(token_ids)])
    return Completion(
        text="".join(kept),
        token_ids=tuple(token_ids),
        logprobs=said,
        finish_reason="stop" if whole else "length",
        margins=tuple(max(0.0, logprob - log(-expm1(min(logprob, -_LEAST)))) for logprob in said),
        pieces=(*kept, *([""] if whole else [])),
    )
