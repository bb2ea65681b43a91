"""What a page's text layer has to say of the model's text: a run's score without labels."""

from schemas.shape import Shape


class Agreement(Shape):
    """The model's text of a page held against its trusted text layer.

    `cer` is the character error rate with the layer taken for truth, over its `characters`; more was said than is there: above 1.
    `word_recall` is the share of the layer's `words` that the model has, counted twice where they stand twice, in any order;
    `word_precision` the share of the model's words that the layer has. `only_model` and `only_layer` are some of those that one side alone has.
    """

    cer: float
    characters: int
    word_recall: float
    word_precision: float
    words: int
    only_model: tuple[str, ...] = ()
    only_layer: tuple[str, ...] = ()


class Witnessed(Shape):
    """Agreements of many pages, summed: `edits` of their `characters`, and how many of the layers' `words` were `found`."""

    pages: int = 0
    edits: float = 0.0
    characters: int = 0
    found: float = 0.0
    words: int = 0

    def __add__(self, other: "Witnessed") -> "Witnessed":
        return Witnessed(
            pages=self.pages + other.pages,
            edits=self.edits + other.edits,
            characters=self.characters + other.characters,
            found=self.found + other.found,
            words=self.words + other.words,
        )

    @property
    def cer(self) -> float:
        """Return the character error rate over all pages, with their text layers taken for truth."""
        return self.edits / max(self.characters, 1)

    @property
    def word_recall(self) -> float:
        """Return the share of the text layers' words that the model has; 1 where there are none."""
        return self.found / self.words if self.words else 1.0
