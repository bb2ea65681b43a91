"""Task raw: any prompt of a fine-tuned checkpoint; the answer is kept as it is."""

from pipeline.tasks.base import Ask, Reading
from pipeline.tasks.prompts import filled
from pipeline.tasks.prose import decode_anything
from schemas.job import RawTask
from schemas.view import Affine, Completion


def ask(task: RawTask) -> Ask:
    """Return the job's own question, under the key `raw.` and its name."""
    prompt = filled(task.prompt)

    def read(completion: Completion, affine: Affine) -> Reading:
        return decode_anything(completion, affine, prompt)

    return Ask(key=f"raw.{task.name}", prompt=prompt, max_tokens=task.max_tokens, decode=read)
