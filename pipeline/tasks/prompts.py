"""Fill a prompt's template. It does not know what any checkpoint understands; kinds.py does."""

import re

from pipeline.errors import JobError

_HOLE = re.compile(r"\{([a-z]+)\}")
_FORBIDDEN = re.compile(r"[\n\r\v\f\x85\u2028\u2029]|<image>|<bos>|<eos>|<pad>")


def filled(template: str, **words: str) -> str:
    """Return the template with each {name} replaced once; a name that is not given stands as it is.

    A prompt is one line of words: raises JobError on a line break or a special token, which only engines may add.
    """
    prompt = _HOLE.sub(lambda hole: words.get(hole[1], hole[0]), template)
    if broken := _FORBIDDEN.search(prompt):
        raise JobError(
            f"the prompt {prompt!r} may not hold {broken[0]!r}: the engine adds line breaks and special tokens itself"
        )
    return prompt
