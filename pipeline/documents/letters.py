"""Whether characters make sense as text: broken fonts give private symbols, wrong encodings and ciphers instead of words.

It knows only the characters. It asks for much before it says no, since parts lists and tables of figures are text too.
"""

import re
import unicodedata
from collections import Counter
from math import sqrt

from pipeline.documents.neighbours import base, common_share, marks_share

_FEW = 40
"""So few letters say nothing about a language."""
_ODD_SHARE = 0.1
_LATIN1_SHARE = 0.4
"""No language writes so many of its letters as U+00C0 to U+00FF; Cyrillic or Greek bytes read as Latin-1 are all of them."""
_MOJIBAKE_SHARE = 0.01
_ONE_LETTER_SHARE = 0.6
_LIKENESS = 0.55
"""Text of Europe's languages comes to 0.64 and more, letters shifted by any number to 0.63 and mostly less than 0.5."""
_COMMON_SHARE = 0.5
"""Two thirds and more of the neighbours within words are common ones, 0.52 in a few lines of Chinese with English names, a third by chance."""
_MARKS_SHARE = 0.3
"""Programs have a sixth of their neighbours that are two marks, prose a fiftieth; what has words may have more."""
_VOWELS_MOST = 0.45
"""Columns of the same short word are unlike a language too, but are full of vowels."""

_CONTINUATION = bytes(range(0x80, 0xC0)).decode("latin-1") + bytes(range(0x80, 0xC0)).decode("cp1252", "ignore")
_MOJIBAKE = re.compile(f"[\u00c2-\u00df][{_CONTINUATION}]|[\u00e0-\u00ef][{_CONTINUATION}]{{2}}")
"""UTF-8 read as Latin-1 or Windows-1252: é becomes Ã©, ’ becomes â€™."""

_EUROPEAN = dict(
    zip(
        "etaoinsrhldcumfpgwybvkxjqz",
        (
            12.5,
            7.5,
            8.9,
            6.5,
            7.6,
            7.4,
            7.1,
            6.8,
            3.1,
            4.8,
            4.0,
            3.2,
            3.4,
            2.7,
            1.6,
            2.4,
            1.7,
            1.0,
            1.1,
            1.3,
            1.2,
            1.2,
            0.3,
            0.5,
            0.5,
            0.7,
        ),
        strict=True,
    )
)
"""Letters in a hundred, accents aside, about the mean of the languages of Europe in Latin script."""


def nonsense(text: str) -> str | None:
    """Return why the text makes no sense, or None if it may."""
    signs = [sign for sign in text if not sign.isspace()]
    if not signs:
        return None
    odd = sum(1 for sign in signs if _is_odd(sign))
    if odd > _ODD_SHARE * len(signs):
        return f"{odd} of {len(signs)} characters are private, unknown or control characters: a font does not say what its glyphs mean"
    if (found := len(_MOJIBAKE.findall(text))) >= 3 and found > _MOJIBAKE_SHARE * len(signs):
        return f"{found} characters are UTF-8 read as another encoding"
    common = common_share(text)
    if common is None and marks_share(text) > _MARKS_SHARE:
        return "so many of its characters are marks beside other marks as in no text: a font's character codes are scrambled"
    return _unlike_language([sign for sign in signs if sign.isalpha()], signs, common)


def shows(text: str) -> bool:
    """Return whether letters that were exchanged for others would show: there are enough of them, in a script whose statistics are known here."""
    letters = [sign for sign in text if sign.isalpha()]
    known = sum(base(letter) in _EUROPEAN for letter in letters)
    return known >= max(_FEW, len(letters) // 2) and common_share(text) is not None


def _is_odd(sign: str) -> bool:
    return sign == "\ufffd" or unicodedata.category(sign) in ("Co", "Cn", "Cc", "Cs")


def _unlike_language(letters: list[str], signs: list[str], common: float | None) -> str | None:
    if len(letters) < _FEW:
        return _unlike_anything(letters, signs)
    latin1 = sum(1 for letter in letters if "\u00c0" <= letter <= "\u00ff")
    if latin1 > _LATIN1_SHARE * len(letters):
        return f"{latin1} of {len(letters)} letters are accented: another alphabet read as Latin-1"
    (_, most), *_ = Counter(letters).most_common(1)
    if most > _ONE_LETTER_SHARE * len(letters):
        return f"{most} of {len(letters)} letters are the same"
    counts = Counter(plain for letter in letters if (plain := base(letter)) in _EUROPEAN)
    if counts.total() < max(_FEW, len(letters) // 2):
        return None  # another script, whose statistics are not known here
    vowels = sum(counts[vowel] for vowel in "aeiouy") / counts.total()
    if vowels < _VOWELS_MOST and _likeness(counts) < _LIKENESS:
        return "its letters are spread like those of no language: a font's character codes are scrambled"
    if common is not None and common < _COMMON_SHARE:
        return "its letters follow one another as in no language: a font's character codes are scrambled"
    return None


def _unlike_anything(letters: list[str], signs: list[str]) -> str | None:
    """Judge text of few letters: figures and their punctuation are sense, brackets and marks alone are not."""
    marks = sum(1 for sign in signs if unicodedata.category(sign)[0] in "PS" and sign not in ".,-–—_:/%$€£+=*•·…#()|")
    if len(signs) >= _FEW and marks > len(signs) / 2:
        return f"{marks} of {len(signs)} characters are marks and only {len(letters)} letters"
    return None


def _likeness(counts: Counter[str]) -> float:
    """Return the cosine between these counts of letters and a European language's, 0 to 1."""
    dot = sum(counts[letter] * share for letter, share in _EUROPEAN.items())
    return dot / sqrt(sum(count**2 for count in counts.values()) * sum(share**2 for share in _EUROPEAN.values()))
