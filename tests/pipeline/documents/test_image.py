"""Image files as documents: every format, as a person sees it, and refused where it cannot be."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageColor, ImageDraw

from pipeline.documents import inks
from pipeline.documents.document import open_document
from pipeline.documents.image import ImageDocument
from pipeline.errors import DocumentError
from schemas.box import Box
from schemas.job import Limits
from schemas.view import Affine


def picture(width: int = 120, height: int = 80, mode: str = "RGB") -> Image.Image:
    """Return a picture whose corners differ: red, green, blue and black quarters on white."""
    drawn = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(drawn)
    draw.rectangle((0, 0, width // 3, height // 3), fill=(200, 30, 30))
    draw.rectangle((width * 2 // 3, 0, width, height // 3), fill=(30, 160, 30))
    draw.rectangle((0, height * 2 // 3, width // 3, height), fill=(30, 30, 200))
    draw.rectangle((width * 2 // 3, height * 2 // 3, width, height), fill="black")
    return drawn.convert(mode)


def saved(path: Path, image: Image.Image, file_format: str, **options: object) -> Path:
    image.save(path, file_format, **options)
    return path


@pytest.fixture
def opened() -> Iterator[Callable[..., ImageDocument]]:
    """Open images by path and limits, and close them afterwards."""
    with ExitStack() as stack:

        def opener(path: Path, **limits: int) -> ImageDocument:
            document = open_document(path, Limits(**limits), ())
            assert isinstance(document, ImageDocument)
            stack.callback(document.close)
            return document

        yield opener


def whole(document: ImageDocument, page_index: int = 0, resolution: int = 64) -> np.ndarray:
    probe = document.probe(page_index, text_layer=True)
    (view,) = document.render(page_index, [Affine(probe.width_pt, 0, 0, probe.height_pt, 0, 0)], resolution)
    return view


def squeezed(image: Image.Image, resolution: int = 64) -> np.ndarray:
    return np.asarray(image.convert("RGB").resize((resolution, resolution), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    ("file_format", "options", "media_type", "error"),
    [
        ("PNG", {}, "image/png", 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, "image/jpeg", 12),
        ("TIFF", {}, "image/tiff", 0),
        ("TIFF", {"compression": "tiff_lzw"}, "image/tiff", 0),
        ("TIFF", {"compression": "tiff_adobe_deflate"}, "image/tiff", 0),
        ("WEBP", {"lossless": True}, "image/webp", 0),
        ("BMP", {}, "image/bmp", 0),
        ("GIF", {}, "image/gif", 3),
        ("JPEG2000", {}, "image/jp2", 0),
        ("JPEG2000", {"no_jp2": True}, "image/jp2", 0),
    ],
)
def test_every_format_is_seen_as_pillow_resizes_it(tmp_path, file_format, options, media_type, error, opened):
    """The view of a whole page equals Pillow's bicubic resize of the picture; the name of the file says nothing."""
    document = opened(saved(tmp_path / "misnamed.pdf", picture(), file_format, **options))
    assert (document.media_type, document.page_count) == (media_type, 1)
    assert np.abs(whole(document).astype(int) - squeezed(picture())).max() <= error


@pytest.mark.parametrize("compression", ["group4", "group3"])
def test_a_fax_is_read_in_its_odd_resolution(tmp_path, compression, opened):
    """A fax of 204 × 98 dots an inch is a page of its true shape, and its black is black."""
    fax = Image.new("1", (1728, 1078), 1)
    ImageDraw.Draw(fax).rectangle((0, 0, 864, 539), fill=0)
    document = opened(saved(tmp_path / "fax", fax, "TIFF", compression=compression, dpi=(204, 98)))
    probe = document.probe(0, text_layer=False)
    assert (round(probe.width_pt), round(probe.height_pt)) == (610, 792)
    view = whole(document)
    assert view[10, 10].tolist() == [0, 0, 0]
    assert view[50, 50].tolist() == [255, 255, 255]


def test_a_tiff_has_a_page_a_frame(tmp_path, opened):
    """Frames of a TIFF are pages, each of its own size, in any order."""
    frames = [picture(100, 50), picture(50, 100).convert("L"), picture(60, 60).convert("1")]
    path = tmp_path / "frames"
    frames[0].save(path, "TIFF", save_all=True, append_images=frames[1:], dpi=(100, 100))
    document = opened(path)
    assert document.page_count == 3
    sizes = [(probe.width_pt, probe.height_pt) for probe in (document.probe(index, text_layer=False) for index in (2, 0, 1))]
    assert sizes == [pytest.approx(size, rel=1e-3) for size in ((43.2, 43.2), (72, 36), (36, 72))]


def test_an_animation_is_one_page(tmp_path, opened):
    """Only a TIFF's frames are pages: of an animation the first frame is seen."""
    path = tmp_path / "moving"
    picture().save(path, "GIF", save_all=True, append_images=[picture().rotate(90), picture().rotate(180)])
    assert opened(path).page_count == 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "TIFF", "PNG", "WEBP"])
def test_a_camera_s_turn_is_applied(tmp_path, orientation, file_format, opened):
    """A picture that says how it is to be turned is seen so, whichever format says it."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = picture()
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    exif = Image.Exif()
    exif[274] = orientation
    quality = (
        {"quality": 95, "subsampling": 0} if file_format == "JPEG" else {"lossless": True} if file_format == "WEBP" else {}
    )
    dpi = {} if file_format == "WEBP" else {"dpi": (100, 200) if stored.size == upright.size else (200, 100)}
    document = opened(saved(tmp_path / "photo", stored, file_format, exif=exif, **quality, **dpi))
    probe = document.probe(0, text_layer=False)
    expected = (120 * 0.75, 80 * 0.75) if file_format == "WEBP" else (120 * 0.72, 80 * 0.36)
    assert (probe.width_pt, probe.height_pt) == pytest.approx(expected, rel=0.01)
    assert np.abs(whole(document).astype(int) - squeezed(upright)).max() <= 20


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG2000"])
def test_sixteen_bits_keep_their_tones(tmp_path, file_format, opened):
    """Gray of 16 bits is scaled to 8, not cut off."""
    tones = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    view = whole(opened(saved(tmp_path / "deep", Image.fromarray(tones), file_format)))
    assert np.abs(view[:, :, 1].astype(int) - np.round(tones / 257)).max() <= 1


def test_twelve_bits_in_sixteen_are_not_black(tmp_path, opened):
    """Scanners that write 12 bits into 16 make white 4095."""
    tones = np.full((64, 64), 4095, dtype=np.uint16)
    tones[:32] = 0
    view = whole(opened(saved(tmp_path / "deep", Image.fromarray(tones), "TIFF")))
    assert (int(view[10, 10, 0]), int(view[50, 10, 0])) == (0, 255)


@pytest.mark.parametrize(
    ("dtype", "tags", "is_turned"),
    [(np.uint16, {262: (1, 0)}, True), (np.int32, {339: (2, 1)}, False)],
)
def test_what_a_tiff_says_of_its_gray_is_believed(tmp_path, dtype, tags, is_turned, opened):
    """Where a TIFF of more than 8 bits says that 0 is white, or that values have no sign, they are taken so."""
    tones = np.linspace(0, 2 ** (8 * np.dtype(dtype).itemsize) - 1, 64 * 64).reshape(64, 64)
    stored = tones.astype(f"u{np.dtype(dtype).itemsize}").view(dtype)
    data = saved(tmp_path / "deep", Image.fromarray(stored), "TIFF").read_bytes()
    for tag, (written, wanted) in tags.items():
        entry = struct.pack("<HHIHH", tag, 3, 1, written, 0)
        assert data.count(entry) == 1
        data = data.replace(entry, struct.pack("<HHIHH", tag, 3, 1, wanted, 0))
    (tmp_path / "deep").write_bytes(data)
    seen = whole(opened(tmp_path / "deep"))[:, :, 1].astype(int)
    expected = np.round(tones / tones.max() * 255)
    assert np.abs(seen - (255 - expected if is_turned else expected)).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_white_paper(tmp_path, mode, opened):
    """What is transparent shows white, never the colour that happens to be stored there."""
    drawn = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(drawn).rectangle((0, 0, 63, 20), fill=(0, 0, 0, 255))
    view = whole(opened(saved(tmp_path / "clear", drawn.convert(mode), "PNG")))
    assert view[40, 32].tolist() == [255, 255, 255]
    assert view[10, 32].max() < 10


@pytest.mark.parametrize("options", [{}, {"icc_profile": b"no profile at all"}])
@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_inks_are_seen_as_colours(tmp_path, file_format, options, opened):
    """CMYK is what it prints, whatever its profile is worth: no ink is white, magenta and yellow are red, black is black."""
    inks = Image.new("CMYK", (60, 60), (0, 0, 0, 0))
    inks.paste((0, 255, 255, 0), (0, 0, 60, 20))
    inks.paste((0, 0, 0, 255), (0, 40, 60, 60))
    view = whole(opened(saved(tmp_path / "inks", inks, file_format, **options)), resolution=60)
    assert view[30, 30].min() > 240
    assert view[10, 30, 0] > 200 > 60 > view[10, 30, 1:].max()
    assert view[50, 30].max() < 40


@pytest.mark.parametrize(
    ("dpi", "size", "expected"),
    [
        ((300, 300), (2480, 3508), (595.2, 841.92)),
        (None, (800, 600), (600, 450)),
        (None, (4000, 3000), (1190.55, 892.91)),
        ((72, 72), (4000, 3000), (1190.55, 892.91)),
        ((1, 1), (800, 600), (600, 450)),
    ],
)
def test_a_page_s_size_follows_a_believable_resolution(tmp_path, dpi, size, expected, opened):
    """A stated resolution gives the size in points; none, or a meaningless one, gives at most A3."""
    options = {"dpi": dpi} if dpi else {}
    probe = opened(saved(tmp_path / "scan", Image.new("L", size), "JPEG", **options)).probe(0, text_layer=False)
    assert (probe.width_pt, probe.height_pt) == pytest.approx(expected, rel=0.002)


def test_a_part_of_a_page_is_that_part(tmp_path, opened):
    """A crop shows what lies in it; what lies beyond the page is white."""
    document = opened(saved(tmp_path / "page", picture(), "PNG", dpi=(72, 72)))
    probe = document.probe(0, text_layer=False)
    scale = probe.width_pt / 120
    (inside,) = document.render(0, [Affine.of_box(Box(x0=0, y0=0, x1=30 * scale, y1=20 * scale))], 32)
    assert np.abs(inside.astype(int) - (200, 30, 30)).max() <= 2
    (beyond,) = document.render(0, [Affine.of_box(Box(x0=-60 * scale, y0=0, x1=0, y1=80 * scale))], 32)
    assert (beyond[:, :28] == 255).all()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_quarter_turn_of_a_view_is_exact(tmp_path, turns, opened):
    """A view that looks at the page from another side equals the turned picture's."""
    document = opened(saved(tmp_path / "page", picture(), "PNG"))
    probe = document.probe(0, text_layer=False)
    w, h = probe.width_pt, probe.height_pt
    affine = {1: Affine(0, h, -w, 0, w, 0), 2: Affine(-w, 0, 0, -h, w, h), 3: Affine(0, -h, w, 0, 0, h)}[turns]
    (view,) = document.render(0, [affine], 64)
    assert np.array_equal(view, np.rot90(squeezed(picture()), turns))


def test_a_slight_turn_of_a_view_is_smooth(tmp_path, opened):
    """A skewed scan looked at askew is upright again, to a few levels of gray."""
    straight = Image.new("L", (1200, 1200), "white")
    draw = ImageDraw.Draw(straight)
    for y in range(200, 1000, 60):
        draw.rectangle((200, y, 1000, y + 20), fill="black")
    skewed = straight.rotate(2, Image.Resampling.BICUBIC, fillcolor="white")
    document = opened(saved(tmp_path / "skewed", skewed, "PNG"))
    side = document.probe(0, text_layer=False).width_pt
    cos, sin = np.cos(np.radians(2)) * side, np.sin(np.radians(2)) * side
    affine = Affine(cos, -sin, sin, cos, (side - cos - sin) / 2, (side - cos + sin) / 2)
    (view,) = document.render(0, [affine], 300)
    expected = np.asarray(straight.resize((300, 300), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(view[:, :, 0].astype(int) - expected).mean() < 6


def code_of(opened: Callable[..., ImageDocument], path: Path, **limits: int) -> tuple[str, str]:
    with pytest.raises(DocumentError) as info:
        opened(path, **limits).probe(0, text_layer=False)
    return info.value.stage, info.value.code


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000"])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_a_truncated_image_is_damaged(tmp_path, file_format, share, opened):
    """Half an image is no image: it fails, and never as half a page of gray."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 3), dtype=np.uint8))
    stream = io.BytesIO()
    noise.save(stream, file_format)
    path = tmp_path / "cut"
    path.write_bytes(stream.getvalue()[: int(len(stream.getvalue()) * share)])
    assert code_of(opened, path)[1] == "damaged"


def test_a_header_that_cannot_be_read_is_said_in_words(tmp_path, opened):
    """What is said of a document names no object of Python's."""
    (tmp_path / "cut").write_bytes(b"\xff\xd8\xff" + bytes(100))
    with pytest.raises(DocumentError, match=r"its header cannot be read$"):
        opened(tmp_path / "cut")


def test_a_decompression_bomb_is_not_decoded(tmp_path, opened):
    """An image of more pixels than limits.pixels is refused by its header, before anything is unpacked."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100_000))), (b"IEND", b"")]
    path = tmp_path / "bomb"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
        )
    )
    assert code_of(opened, path) == ("open", "too_many_pixels")


def test_a_later_frame_is_held_to_the_limits_too(tmp_path, opened):
    """Each frame's pixels are counted, not only the first one's."""
    path = tmp_path / "frames"
    picture(10, 10).save(path, "TIFF", save_all=True, append_images=[picture(200, 200)])
    document = opened(path, pixels=1000)
    assert document.probe(0, text_layer=False).page_index == 0
    with pytest.raises(DocumentError) as info:
        document.probe(1, text_layer=False)
    assert (info.value.stage, info.value.code) == ("render", "too_many_pixels")


def test_more_frames_than_limits_pages_are_refused(tmp_path, opened):
    """A TIFF has as many pages as it has frames."""
    path = tmp_path / "frames"
    picture(10, 10).save(path, "TIFF", save_all=True, append_images=[picture(10, 10)] * 3)
    assert code_of(opened, path, pages=3) == ("open", "too_many_pages")


SWATCHES = {
    (0, 0, 0, 0): "#ffffff",
    (255, 0, 0, 0): "#00aeef",
    (0, 255, 0, 0): "#ec008c",
    (0, 0, 255, 0): "#fff200",
    (0, 0, 0, 255): "#231f20",
    (0, 255, 255, 0): "#ed1c24",
    (255, 0, 255, 0): "#00a650",
    (255, 255, 0, 0): "#2e3092",
}
"""What the inks of a press look like, as every designer's table of process colours has it."""


@pytest.mark.parametrize("ink", SWATCHES)
def test_inks_without_a_profile_look_as_on_a_press(ink):
    """Full inks are the process colours that people know, not a screen's cyan and magenta."""
    assert np.allclose(np.asarray(inks.seen(Image.new("CMYK", (2, 2), ink))), ImageColor.getrgb(SWATCHES[ink]), atol=1)


def test_inks_look_the_same_alone_and_within_a_pdf(tmp_path, opened):
    """A JPEG of four inks without a profile has the colours that it has as a page of a PDF."""
    tints = Image.merge("CMYK", [Image.linear_gradient("L").rotate(turn).resize((448, 448)) for turn in (0, 90, 180, 270)])
    path = saved(tmp_path / "a.jpg", tints, "JPEG", quality=95)
    with pymupdf.open() as document:
        document.new_page(width=448, height=448).insert_image((0, 0, 448, 448), filename=path)
        document.save(tmp_path / "a.pdf")
    (alone,) = opened(path).render(0, [Affine(*_whole(opened(path)))], 448)
    page = open_document(tmp_path / "a.pdf", Limits(), ())
    (within,) = page.render(0, [Affine(448.0, 0.0, 0.0, 448.0, 0.0, 0.0)], 448)
    page.close()
    assert np.abs(alone.astype(int) - within).max() <= 3


def _whole(document: ImageDocument) -> tuple[float, ...]:
    width, height = document.size_pt(0)
    return width, 0.0, 0.0, height, 0.0, 0.0
