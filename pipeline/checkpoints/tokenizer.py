"""A vocabulary of its own for small checkpoints: characters, the tags of tables, places, masks, and the specials.

Every other part of the program reads ids from a checkpoint's files. The order here differs from the published checkpoints' on purpose,
so that an id written into code anywhere fails at once.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models

from pipeline.checkpoints.alphabet import ALPHABET

PAD, BOS, EOS, UNK, IMAGE = "<pad>", "<bos>", "<eos>", "<unk>", "<image>"
SPECIALS = (PAD, BOS, EOS, UNK, IMAGE)
TABLE_TAGS = (
    "<table>",
    "</table>",
    "<tr>",
    "</tr>",
    "<td>",
    "</td>",
    "<th>",
    "</th>",
    '<td coords="',
    '<th coords="',
    '">',
    ' colspan="',
    ' rowspan="',
)
PLACES = tuple(f"<loc{n:04d}>" for n in range(1024))
MASK_CODES = tuple(f"<seg{n:03d}>" for n in range(128))


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """The ids that the configuration files name, and how many tokens there are."""

    pad: int
    bos: int
    eos: int
    image: int
    newline: int
    size: int


def write_tokenizer(folder: Path) -> SpecialIds:
    """Write tokenizer.json and tokenizer_config.json; decoding what was encoded gives the same text, space by space."""
    pieces = (*ALPHABET, *TABLE_TAGS, *PLACES, *MASK_CODES, *SPECIALS)
    ids = {piece: index for index, piece in enumerate(pieces)}
    # Byte-pair encoding without a single merge is a character tokenizer, and needs no pattern to cut the text.
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=[], unk_token=UNK, fuse_unk=False))
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in (*TABLE_TAGS, *PLACES, *MASK_CODES)])
    tokenizer.add_special_tokens([AddedToken(piece, normalized=False, special=True) for piece in SPECIALS])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "processor_class": "PaliGemmaProcessor",
        "pad_token": PAD,
        "bos_token": BOS,
        "eos_token": EOS,
        "unk_token": UNK,
        "extra_special_tokens": {"image_token": IMAGE},
        "clean_up_tokenization_spaces": False,
        "model_max_length": 8192,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return SpecialIds(ids[PAD], ids[BOS], ids[EOS], ids[IMAGE], ids["\n"], len(pieces))
