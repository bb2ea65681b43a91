"""PDFs that want something done: scripts, programs, links, files inside and files outside. They are read like any other, and get nothing."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest

from pipeline.documents.child import Child
from schemas.job import Limits

LIES_BESIDE = "what lies beside"


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child(Limits()) as started:
        yield started


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Return a socket of this machine, which a document may name and nobody should call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def _plant(document: pymupdf.Document, what: str, folder: Path, port: int) -> None:
    """Give a document of one page an action on opening, on its page and on a link, or something else to be tempted by."""
    url, made, secret = f"http://127.0.0.1:{port}/", folder / "made", folder / "secret.txt"
    actions = {
        "javascript": f"<</S/JavaScript/JS(app.launchURL('{url}'); this.exportDataObject('x'); this.submitForm('{url}'))>>",
        "launch": f"<</S/Launch/F(/usr/bin/touch)/Win<</F(cmd.exe)/P(/c echo > {made})>>/Unix(touch {made})>>",
        "uri": f"<</S/URI/URI({url})>>",
        "remote document": f"<</S/GoToR/F<</Type/Filespec/FS/URL/F({url}x.pdf)>>/D[0/Fit]>>",
        "form sent": f"<</S/SubmitForm/F<</FS/URL/F({url})>>/Flags 4>>",
        "data imported": f"<</S/ImportData/F({secret})>>",
    }
    page = document[0]
    if action := actions.get(what):
        document.xref_set_key(document.pdf_catalog(), "OpenAction", action)
        document.xref_set_key(document.pdf_catalog(), "AA", f"<</WC{action}/DS{action}/WP{action}>>")
        document.xref_set_key(page.xref, "AA", f"<</O{action}/C{action}>>")
        link = document.get_new_xref()
        document.update_object(link, f"<</Type/Annot/Subtype/Link/Rect[0 0 200 200]/Border[0 0 0]/A{action}>>")
        document.xref_set_key(page.xref, "Annots", f"[{link} 0 R]")
    elif what == "embedded file":
        document.embfile_add("evil.pdf", LIES_BESIDE.encode(), filename=str(made))
    elif what == "external stream":
        stream = document.get_new_xref()
        document.update_object(stream, f"<</Length 0/F<</Type/Filespec/F({secret})>>>>")
        document.update_stream(stream, b"")
        document.xref_set_key(stream, "F", f"({secret})")
        document.xref_set_key(page.xref, "Contents", f"[{page.get_contents()[0]} 0 R {stream} 0 R]")
    elif what == "XFA":
        form = f'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]><x>&e;</x></xdp:xdp>'
        stream = document.get_new_xref()
        document.update_object(stream, "<<>>")
        document.update_stream(stream, form.encode())
        document.xref_set_key(document.pdf_catalog(), "AcroForm", f"<</XFA {stream} 0 R/Fields[]/NeedAppearances true>>")
    else:
        raise AssertionError(what)


@pytest.mark.parametrize(
    "what",
    ["javascript", "launch", "uri", "remote document", "form sent", "data imported", "embedded file", "external stream", "XFA"],
)
def test_a_documents_wishes_are_not_acted_on(what: str, child: Child, tmp_path: Path, listener: socket.socket):
    """Its page is read and drawn as it is without the wish: nothing is run, called, unpacked or included."""
    (tmp_path / "secret.txt").write_text(LIES_BESIDE)
    with pymupdf.open() as document:
        document.new_page(width=200, height=200).insert_text((20, 40), "harmless words")
        plain = document.tobytes()
        _plant(document, what, tmp_path, listener.getsockname()[1])
        planted = document.tobytes()
    assert len(planted) > len(plain)
    (tmp_path / "plain.pdf").write_bytes(plain)
    (tmp_path / "planted.pdf").write_bytes(planted)
    before = {path.name for path in tmp_path.iterdir()}
    seen = [_read(child, tmp_path / name) for name in ("plain.pdf", "planted.pdf")]
    assert seen[0] == seen[1]
    assert "harmless words" in seen[0][0]
    assert {path.name for path in tmp_path.iterdir()} == before
    with pytest.raises(BlockingIOError):
        listener.accept()


def _read(child: Child, path: Path) -> tuple[str, bytes]:
    assert child.open(path).page_count == 1
    layer = child.probe(0, text_layer=True).text_layer
    assert layer is not None
    (picture,) = child.render(0, child.regions(0, "none", 448), 448)
    return layer.text, picture.tobytes()
