"""Strip secrets from what the machine says: presigned uris, credentials in uris, keys and tokens. What a document says is its own."""

import re

HIDDEN = "[hidden]"

_SECRETS = [
    (re.compile(r"(?<=://)[^/\s@:?#]*:[^/\s@]+(?=@)"), HIDDEN),
    (
        re.compile(
            r"(?i)([?&;](?:X-Amz-[\w-]+|X-Goog-[\w-]+|AWSAccessKeyId|Signature|Expires|sig|se|sp|sv|sr|token|access_token|key|password)=)[^&\s\"'<>]*[^&\s\"'<>:.,;)]"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), HIDDEN),
    (
        re.compile(
            r"(?i)\b((?:aws_)?(?:secret(?:_access)?_key|access_key_id|session_token)|password|passwd|api[_-]?key|authorization)(\s*[=:]\s*)(?:(?:bearer|basic)\s+)?[^\s,;&\"']+"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{8,}"), f"Bearer {HIDDEN}"),
    (re.compile(r"\bhf_[A-Za-z0-9]{20,}\b"), HIDDEN),
]


def redact(text: str) -> str:
    """Return the text with whatever looks like a credential replaced."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text
