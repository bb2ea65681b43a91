"""What a file is, by its first bytes; its name is never asked."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"II+\x00", "image/tiff"),
    (0, b"MM\x00+", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (4, b"jP  \r\n\x87\n", "image/jp2"),
    (0, b"\xff\x4f\xff\x51", "image/jp2"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
)
_PDF_WITHIN = 1024
"""Readers accept a PDF whose header comes after some junk, within its first 1024 bytes (ISO 32000-1, implementation note 13)."""

HEAD_BYTES = 2048


def media_type(head: bytes) -> str | None:
    """Return the media type of a file that begins with `head` (its first HEAD_BYTES), or None."""
    for offset, magic, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind
    return "application/pdf" if b"%PDF-" in head[: _PDF_WITHIN + 5] else None
