"""The word by which PaliGemma was taught to say that a page does not answer a question, and which labels say it with too."""

UNANSWERABLE = "unanswerable"


def is_unanswerable(answer: str) -> bool:
    """Return whether an answer says so, in whatever case, with or without a full stop."""
    return answer.strip().casefold().rstrip(".") == UNANSWERABLE
