"""PDF files as documents: opened whatever their state, drawn as a person sees them, refused with a code where they cannot be."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image

from pipeline.documents.child import Child
from pipeline.documents.document import open_document
from pipeline.documents.pdf import PdfDocument
from pipeline.errors import DocumentError
from schemas.job import Limits
from schemas.view import Affine

Opener = Callable[..., PdfDocument]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Open PDFs by path, passwords and limits, and close them afterwards."""
    with ExitStack() as stack:

        def opener(path: Path, passwords: Sequence[str] = (), **limits: int) -> PdfDocument:
            document = open_document(path, Limits(**limits), passwords)
            assert isinstance(document, PdfDocument)
            stack.callback(document.close)
            return document

        yield opener


def written(path: Path, *, pages: int = 1, width: float = 200, height: float = 100, **options: object) -> Path:
    """Write a PDF whose pages have a red rectangle in their top left quarter."""
    with pymupdf.open() as document:
        for _ in range(pages):
            page = document.new_page(width=width, height=height)
            page.draw_rect(pymupdf.Rect(0, 0, width / 2, height / 2), color=None, fill=(1, 0, 0))
        document.save(path, **options)
    return path


def whole(document: PdfDocument, page_index: int = 0, resolution: int = 64) -> np.ndarray:
    probe = document.probe(page_index, text_layer=False)
    (view,) = document.render(page_index, [Affine(probe.width_pt, 0, 0, probe.height_pt, 0, 0)], resolution)
    return view


def is_red(pixel: np.ndarray) -> bool:
    return pixel.tolist() == [255, 0, 0]


def failed(opened: Opener, path: Path, passwords: Sequence[str] = (), **limits: int) -> tuple[str, str]:
    with pytest.raises(DocumentError) as info:
        opened(path, passwords, **limits).probe(0, text_layer=True)
    return info.value.stage, info.value.code


@pytest.mark.parametrize("resolution", [224, 448, 896])
def test_a_page_is_squeezed_into_the_view(opened, tmp_path, resolution):
    """A whole page fills the square, its sides scaled each by itself."""
    view = whole(opened(written(tmp_path / "a.pdf")), resolution=resolution)
    half = resolution // 2
    assert view.shape == (resolution, resolution, 3)
    assert is_red(view[half - 2, half - 2])
    assert view[half + 2, half - 2].tolist() == view[half - 2, half + 2].tolist() == [255, 255, 255]


def test_a_turned_and_cropped_page_is_seen_as_such(opened, tmp_path):
    """Sizes, views and /Rotate are those of the page on the screen."""
    with pymupdf.open() as source:
        page = source.new_page(width=200, height=100)
        page.draw_rect(pymupdf.Rect(100, 0, 150, 100), color=None, fill=(1, 0, 0))
        page.set_cropbox(pymupdf.Rect(100, 0, 200, 100))
        page.set_rotation(90)
        source.save(tmp_path / "a.pdf")
    document = opened(tmp_path / "a.pdf")
    probe = document.probe(0, text_layer=False)
    assert (probe.width_pt, probe.height_pt, probe.rotation) == (100, 100, 90)
    view = whole(document)
    assert is_red(view[10, 32])
    assert view[50, 32].tolist() == [255, 255, 255]


@pytest.mark.parametrize("rotate", ["45", "-135", "300", "[90]"])
def test_a_turn_that_is_none_turns_nothing(opened, tmp_path, rotate):
    """/Rotate may only be a multiple of 90, also where all pages inherit it: else the page is seen as it is written, and its words stand so."""
    with pymupdf.open(written(tmp_path / "whole.pdf")) as source:
        parent = int(source.xref_get_key(source[0].xref, "Parent")[1].split()[0])
        source.xref_set_key(source[0].xref, "Rotate", "null")
        source.xref_set_key(parent, "Rotate", rotate)
        source.save(tmp_path / "a.pdf")
    whole_, turned = (opened(tmp_path / name) for name in ("whole.pdf", "a.pdf"))
    assert turned.probe(0, text_layer=True) == whole_.probe(0, text_layer=True)
    assert turned.probe(0, text_layer=False).rotation == 0
    assert np.array_equal(whole(turned), whole(whole_))


@pytest.mark.parametrize("crop", ["[0 0 0 0]", "[500 500 700 700]"])
def test_a_crop_box_that_shows_nothing_crops_nothing(opened, tmp_path, crop):
    """Such a page is seen whole, as other readers show it, and never taken for a blank one."""
    with pymupdf.open(written(tmp_path / "whole.pdf")) as source:
        source.xref_set_key(source[0].xref, "CropBox", crop)
        source.save(tmp_path / "a.pdf")
    document = opened(tmp_path / "a.pdf")
    probe = document.probe(0, text_layer=True)
    assert (probe.width_pt, probe.height_pt, probe.is_blank) == (200, 100, False)
    assert np.array_equal(whole(document), whole(opened(tmp_path / "whole.pdf")))


def test_a_box_that_begins_elsewhere_and_one_that_is_inherited_hold(opened, tmp_path):
    """A media box need not begin at the origin, nor a page state its own boxes."""
    with pymupdf.open(written(tmp_path / "whole.pdf", pages=2)) as source:
        first, second = (page.xref for page in source)
        source.xref_set_key(first, "MediaBox", "[-100 -100 200 100]")
        source.xref_set_key(first, "CropBox", "[0 0 100 100]")
        parent = int(source.xref_get_key(second, "Parent")[1].split()[0])
        source.xref_set_key(parent, "CropBox", "[100 0 200 100]")
        source.save(tmp_path / "a.pdf")
    document = opened(tmp_path / "a.pdf")
    sizes = [(probe.width_pt, probe.height_pt) for probe in (document.probe(index, text_layer=False) for index in range(2))]
    assert sizes == [(100, 100), (100, 100)]
    assert is_red(whole(document)[10, 60])
    assert (whole(document, 1) == 255).all()


def test_what_is_see_through_lies_on_white_paper(opened, tmp_path):
    """Half-transparent paint is paler, what is wholly transparent is nothing, and a group's paper is white like any other."""
    with pymupdf.open() as source:
        for opacity in (1, 0.5, 0):
            page = source.new_page(width=100, height=100)
            page.draw_rect(page.rect, color=None, fill=(1, 0, 0), fill_opacity=opacity)
            source.xref_set_key(page.xref, "Group", "<</S/Transparency/CS/DeviceCMYK/I true>>")
        source.save(tmp_path / "a.pdf")
    document = opened(tmp_path / "a.pdf")
    full, half, none = (whole(document, index)[30, 30].astype(int) for index in range(3))
    assert full[0] > 200 > 60 > full[1:].max()
    assert np.abs(half - (full + 255) / 2).max() < 12
    assert none.tolist() == [255, 255, 255]
    assert document.probe(2, text_layer=False).is_blank


def test_inks_are_seen_as_colours(opened, tmp_path):
    """CMYK on a page is what it prints: no ink is white, magenta and yellow are red, black is black; spot colours are their likeness."""
    with pymupdf.open(written(tmp_path / "plain.pdf")) as source:
        page = source[0]
        spot = "<</ColorSpace<</S[/Separation/Spot/DeviceCMYK<</FunctionType 2/Domain[0 1]/C0[0 0 0 0]/C1[0 1 1 0]/N 1>>]>>>>"
        source.xref_set_key(page.xref, "Resources", spot)
        content = (
            b"0 1 1 0 k 0 50 50 50 re f 0 0 0 1 k 50 50 50 50 re f 1 0 0 0 k 100 50 50 50 re f /S cs 1 scn 150 50 50 50 re f"
        )
        source.update_stream(page.get_contents()[0], content)
        source.save(tmp_path / "a.pdf")
    view = whole(opened(tmp_path / "a.pdf")).astype(int)
    red, black, cyan, spot_red = (view[16, x] for x in (8, 24, 40, 56))
    assert red[0] > 200 > 80 > red[1:].max()
    assert black.max() < 50
    assert cyan[0] < 60 < 150 < cyan[1:].min()
    assert np.abs(red - spot_red).max() < 10
    assert view[48, 8].tolist() == [255, 255, 255]


def test_a_slanted_view_looks_along_its_sides(opened, tmp_path):
    """A view may be turned: what it shows at (u, v) is what its affine says lies there."""
    document = opened(written(tmp_path / "a.pdf", width=100, height=100))
    (view,) = document.render(0, [Affine(0, 100, -100, 0, 100, 0)], 64)
    assert np.array_equal(view[8:24, 40:56], np.full((16, 16, 3), 255))
    assert is_red(view[56, 8]) or is_red(view[48, 16])
    assert view[16, 16].tolist() == [255, 255, 255]


def test_a_view_equals_pymupdf_s_own_drawing(opened, tmp_path):
    """Text comes out as PyMuPDF draws it at that size."""
    with pymupdf.open() as source:
        page = source.new_page(width=300, height=300)
        page.insert_text((20, 50), "As it is drawn", fontsize=20)
        source.save(tmp_path / "a.pdf")
        expected = page.get_pixmap(matrix=pymupdf.Matrix(448 / 300, 448 / 300))
    view = whole(opened(tmp_path / "a.pdf"), resolution=448)
    assert np.array_equal(view.ravel(), np.frombuffer(expected.samples, dtype=np.uint8))


def test_form_fields_and_annotations_are_seen(opened, tmp_path):
    """What is filled into a form is on the page and in its text."""
    with pymupdf.open() as source:
        page = source.new_page(width=300, height=300)
        field = pymupdf.Widget()
        field.field_type, field.field_name, field.field_value = pymupdf.PDF_WIDGET_TYPE_TEXT, "name", "Filled in"
        field.rect = pymupdf.Rect(20, 20, 200, 50)
        page.add_widget(field)
        source.save(tmp_path / "a.pdf")
    probe = opened(tmp_path / "a.pdf").probe(0, text_layer=True)
    assert not probe.is_blank
    assert probe.text_layer.text == "Filled in"


@pytest.mark.parametrize("side", [100_000.0, 3.0])
def test_pages_of_odd_sizes_are_drawn(opened, tmp_path, side):
    """A page of 10^5 points, or of three, is a page."""
    view = whole(opened(written(tmp_path / "a.pdf", width=side, height=side)), resolution=448)
    assert is_red(view[100, 100])
    assert view[300, 300].tolist() == [255, 255, 255]


def test_a_page_of_absurd_size_is_refused(opened, tmp_path):
    """A page whose box is absurd fails with its own code, and only that page."""
    path = written(tmp_path / "a.pdf", pages=2)
    data = path.read_bytes()
    assert data.count(b"[0 0 200 100]") == 2
    path.write_bytes(data.replace(b"[0 0 200 100]", b"[0 0 900000000 900000000]", 1))
    document = opened(path)
    with pytest.raises(DocumentError) as info:
        document.probe(0, text_layer=False)
    assert (info.value.stage, info.value.code) == ("render", "page_size")
    assert document.probe(1, text_layer=False).width_pt == 200


@pytest.mark.parametrize(
    ("passwords", "code"),
    [((), "password_needed"), (("wrong", ""), "password_wrong"), (("wrong", "user"), None), (("owner",), None)],
)
def test_passwords_are_tried(opened, tmp_path, passwords, code):
    """An encrypted document opens with any of the passwords given, user's or owner's, and else says what is missing."""
    options = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": "user", "owner_pw": "owner"}
    path = written(tmp_path / "a.pdf", **options)
    if code:
        assert failed(opened, path, passwords) == ("open", code)
    else:
        assert is_red(whole(opened(path, passwords))[5, 5])


def test_an_owner_s_password_alone_hides_nothing(opened, tmp_path):
    """A document that only restricts what may be done opens without a password."""
    path = written(tmp_path / "a.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_128, owner_pw="owner")
    assert is_red(whole(opened(path))[5, 5])


def test_nothing_is_empty(opened, tmp_path):
    """A file of 0 bytes is called that."""
    (tmp_path / "a.pdf").touch()
    assert failed(opened, tmp_path / "a.pdf") == ("open", "empty")


def test_what_is_no_document_is_refused_whatever_its_name(opened, tmp_path):
    """The content decides, never the extension."""
    (tmp_path / "a.pdf").write_text("Dear Sir or Madam, this is a letter.\n" * 100)
    assert failed(opened, tmp_path / "a.pdf") == ("open", "unknown_type")
    written(tmp_path / "b.pdf").rename(tmp_path / "b.png")
    assert opened(tmp_path / "b.png").media_type == "application/pdf"


def test_a_missing_file_is_unreadable(opened, tmp_path):
    """A path at which nothing lies is an error of that document."""
    assert failed(opened, tmp_path / "none.pdf") == ("open", "unreadable")


def test_a_header_alone_has_no_pages(opened, tmp_path):
    """MuPDF opens some truncated files with 0 pages and no error: that is a failure."""
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n")
    assert failed(opened, tmp_path / "a.pdf") in {("open", "no_pages"), ("open", "damaged")}


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 0.99])
def test_a_truncated_pdf_is_read_or_refused(opened, tmp_path, share):
    """A cut PDF gives the pages that can still be found, or an error; never a page that looks blank."""
    data = written(tmp_path / "a.pdf", pages=5).read_bytes()
    (tmp_path / "cut.pdf").write_bytes(data[: int(len(data) * share)])
    with suppress(DocumentError):
        document = opened(tmp_path / "cut.pdf")
        assert 1 <= document.page_count <= 5
        assert is_red(whole(document)[5, 5])
        return
    assert failed(opened, tmp_path / "cut.pdf")[1] in {"damaged", "no_pages"}


def test_a_page_whose_contents_are_missing_is_not_blank(opened, tmp_path):
    """What a cut-off file no longer has of a page is lost, and the page not blank; its neighbours are read, and the file is called repaired."""
    path = written(tmp_path / "whole.pdf", pages=3)
    assert not opened(path).is_repaired
    with pymupdf.open(path) as source:
        (lost,) = source[1].get_contents()
    broken = re.sub(rb"\n%d 0 obj.*?endobj" % lost, b"", path.read_bytes(), flags=re.DOTALL)
    (tmp_path / "a.pdf").write_bytes(broken)
    document = opened(tmp_path / "a.pdf")
    assert document.is_repaired
    assert is_red(whole(document, 2)[5, 5])
    with pytest.raises(DocumentError) as info:
        document.probe(1, text_layer=False)
    assert (info.value.stage, info.value.code) == ("render", "damaged")
    assert not document.probe(0, text_layer=False).is_blank


def test_limits_are_the_job_s(opened, tmp_path):
    """More bytes or pages than allowed are refused by their own codes."""
    path = written(tmp_path / "a.pdf", pages=4)
    assert failed(opened, path, bytes=100) == ("open", "too_many_bytes")
    assert failed(opened, path, pages=3) == ("open", "too_many_pages")
    assert opened(path, pages=4).page_count == 4


def test_a_file_of_20_000_pages_opens_and_its_last_page_is_drawn(tmp_path):
    """Pages are counted without being read, and any of them is drawn at once."""
    path = tmp_path / "many.pdf"
    kids = " ".join(f"{number} 0 R" for number in range(4, 20_004))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count 20000/Kids[{kids}]>>",
        "<</Length 25>>stream\n1 0 0 rg 0 50 100 50 re f\nendstream",
        *["<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 3 0 R/Resources<<>>>>"] * 20_000,
    ]
    data, places = "%PDF-1.7\n", []
    pieces = [data]
    place = len(data)
    for number, each in enumerate(objects, 1):
        places.append(place)
        pieces.append(f"{number} 0 obj\n{each}\nendobj\n")
        place += len(pieces[-1])
    pieces.append(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n")
    pieces += [f"{each:010} 00000 n \n" for each in places]
    pieces.append(f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{place}\n%%EOF\n")
    path.write_text("".join(pieces))
    with Child(Limits()) as child:
        assert child.open(path).page_count == 20_000
        (view,) = child.render(19_999, child.regions(19_999, "none", 224), 224)
    assert is_red(view[50, 50])


def test_an_image_that_says_it_is_a_bomb_is_not_decoded(opened, tmp_path):
    """A page whose image has more pixels than allowed fails alone."""
    Image.new("L", (400, 400), 128).save(tmp_path / "image.png")
    with pymupdf.open() as source:
        source.new_page().insert_image(pymupdf.Rect(0, 0, 100, 100), filename=tmp_path / "image.png")
        source.new_page()
        source.save(tmp_path / "a.pdf")
    document = opened(tmp_path / "a.pdf", pixels=100_000)
    with pytest.raises(DocumentError) as info:
        document.probe(0, text_layer=False)
    assert (info.value.stage, info.value.code) == ("render", "too_many_pixels")
    assert document.probe(1, text_layer=False).is_blank


def test_an_image_that_needs_more_memory_than_allowed_costs_its_page(tmp_path):
    """MuPDF leaves out what it has no memory for: such a page is not taken for blank, and its neighbour is read."""
    stream = io.BytesIO()
    Image.new("RGB", (3000, 3000), "black").save(stream, "JPEG2000")
    with pymupdf.open() as source:
        source.new_page().insert_image(pymupdf.Rect(0, 0, 100, 100), stream=stream.getvalue())
        source.new_page().draw_rect(pymupdf.Rect(0, 0, 500, 500), color=None, fill=(1, 0, 0))
        source.save(tmp_path / "a.pdf")
    with Child(Limits(memory=60_000_000)) as child:
        child.open(tmp_path / "a.pdf")
        with pytest.raises(DocumentError) as info:
            child.probe(0, text_layer=False)
        assert (info.value.stage, info.value.code) == ("render", "out_of_memory")
        assert is_red(child.render(1, child.regions(1, "none", 224), 224)[0][50, 50])
    with Child(Limits()) as child:
        child.open(tmp_path / "a.pdf")
        assert not child.probe(0, text_layer=False).is_blank


def test_what_is_said_of_a_document_does_not_say_where_it_lay(tmp_path):
    """The same bytes give the same words in any folder: a node's own paths are no part of a result."""
    said = []
    for folder in (tmp_path / "one", tmp_path / "another"):
        folder.mkdir()
        (folder / "broken.pdf").write_bytes(b"%PDF-1.4 no more")
        with Child(Limits()) as child, pytest.raises(DocumentError) as refused:
            child.open(folder / "broken.pdf")
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert str(tmp_path) not in said[0]


def test_a_bomb_of_a_stream_costs_its_page_at_most(tmp_path):
    """A page of some kilobytes that unpacks to hundreds of megabytes is read as it flows, or refused; the next is drawn."""
    with pymupdf.open() as source:
        page = source.new_page(width=200, height=100)
        page.draw_rect(pymupdf.Rect(0, 0, 100, 50), color=None, fill=(1, 0, 0))
        (content,) = page.get_contents()
        source.new_page(width=200, height=100).draw_rect(pymupdf.Rect(0, 0, 100, 50), color=None, fill=(1, 0, 0))
        source.update_stream(content, b" " * 50_000_000 + b"1 0 0 rg 0 50 100 50 re f")
        source.save(tmp_path / "a.pdf", deflate=True)
    assert (tmp_path / "a.pdf").stat().st_size < 100_000
    with Child(Limits(memory=60_000_000)) as child:
        child.open(tmp_path / "a.pdf")
        for index in range(2):
            assert is_red(child.render(index, child.regions(index, "none", 224), 224)[0][50, 50])
