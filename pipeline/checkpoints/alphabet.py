"""The characters that the embedded checkpoint can write, and that the project's own documents are made of.

One constant, so that the vocabulary and the generator can never differ. It knows neither of them.
"""

_ASCII = "".join(map(chr, range(0x20, 0x7F)))
_SIGNS = "£€"
_ACCENTED = "ÀÁÂÄÇÈÉÊËÍÎÏÑÓÔÖÙÚÛÜßàáâäçèéêëíîïñóôöùúûü"

ALPHABET: str = "".join(sorted(_ASCII + _SIGNS + _ACCENTED + "\n"))
"""Every character once, in code point order: the newline and the space come first. All of it is in the base-14 PDF fonts."""
