"""What the embedded checkpoint is taught on: views as a run sees them, true grids, questions with true answers."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from jobs.synth.document import stream
from jobs.train.asked import LABELS, LONGEST, asked, tokens, values
from jobs.train.company import Part
from jobs.train.embedded import blank_checkpoint
from jobs.train.feed import ANSWERS_A_VIEW, Batch, as_pixels, batches
from jobs.train.glyphs import BLANK, CLASSES, SLOTS, glyph_grid
from jobs.train.recipe import ON_CPU, ON_CUDA, Recipe, Stage
from jobs.train.views import views
from pipeline.checkpoints.architecture import TINY
from pipeline.documents.child import Child
from pipeline.engines.description import describe
from pipeline.engines.transformers import pixels
from pipeline.engines.vocabulary import Vocabulary
from pipeline.strips import with_strips
from pipeline.tasks import detect, spot, table
from pipeline.tasks.unanswerable import UNANSWERABLE
from schemas.box import Box
from schemas.job import Limits
from schemas.truth import Glyphs, PageTruth
from schemas.view import Affine, Completion, Region

EACH_TASK = (("ocr", 1), ("spot", 1), ("answer", 1), ("detect", 1), ("table", 3))


def test_a_grid_says_where_each_glyph_is() -> None:
    """A glyph counts for the third of a patch in which its centre is; of two in one place the first is kept."""
    side = 56  # pixels and points: 4 patches a row
    places = [(0, 0, 4, 8), (5, 0, 9, 8), (10, 2, 14, 12), (10.5, 2, 13.5, 12), (42, 44, 52, 54), (60, 0, 64, 8)]
    page = PageTruth(
        page_index=0,
        width_pt=100,
        height_pt=100,
        glyphs=Glyphs(text="AbC.€z", places=tuple(round(100 * number) for place in places for number in place)),
    )
    grid = glyph_grid(page, Affine.of_box(Box(x0=0, y0=0, x1=side, y1=side)), side)
    assert grid.shape == (16, SLOTS)
    assert (grid != BLANK).sum() == 4
    first, last = grid[0].tolist(), grid[15].tolist()
    assert len({*first, last[1]}) == 4
    assert all(BLANK < each < CLASSES for each in (*first, last[1]))
    assert last[0] == last[2] == BLANK


def test_glyphs_of_a_drawn_view_lie_on_its_ink() -> None:
    """Where the grid has a glyph the view is dark, there or below, where commas hang; where a patch has none, nor its neighbours, it is white."""
    for seen in views("words", 3, 224) + views("lines", 4, 224):
        assert seen.image is not None
        inked = (glyph_grid(seen.page, seen.affine, 224) != BLANK).any(axis=1).reshape(16, 16)
        darkest = seen.image.min(axis=2).reshape(16, 14, 16, 14).min(axis=(1, 3))
        assert inked.any()
        below = np.pad(darkest, ((0, 1), (0, 0)), constant_values=255)[1:]
        assert (np.minimum(darkest, below)[inked] < 200).all()
        around = np.pad(inked, 1)
        near = np.any([around[dy : dy + 16, dx : dx + 16] for dy in range(3) for dx in range(3)], axis=0)
        assert (darkest[~near] == 255).mean() > 0.98


def test_training_sees_the_pixels_that_serving_sees(tmp_path) -> None:
    """A view drawn for training equals the one that a run's own process draws of the same document, and is normalised as the engine does."""
    from jobs.synth import generate

    data, _ = generate("text", 11)
    seen = views("lines", 11, 224)
    (tmp_path / "text.pdf").write_bytes(data)
    with Child(Limits()) as child:
        child.open(tmp_path / "text.pdf")
        served = child.render(0, [Region("tile", each.affine) for each in seen], 224)
    assert all(np.array_equal(each.image, image) for each, image in zip(seen, served, strict=True))
    taught = as_pixels(Batch(torch.from_numpy(np.stack(served)), None, None))
    assert torch.equal(taught, pixels(served, torch.device("cpu")))


@pytest.mark.parametrize("stage", ["tower", "grids", "walk", "words", "large", "places", "whole"])
def test_a_batch_depends_on_its_number_alone(tmp_path, stage) -> None:
    """A course that goes on at a step, or that other processes make, sees what it would have seen."""
    lesson, resolution = {"grids": ("words", 448), "tower": ("words", 224), "words": ("words", 224)}.get(stage, ("tiles", 448))
    recipe = Recipe(TINY, (Stage(stage, resolution, 4, 3, 1e-3, ((1.0, lesson),)),), processes=0)
    vocabulary = Vocabulary.load(describe(blank_checkpoint(recipe, 448, tmp_path)))
    whole = list(batches(recipe, recipe.stages[0], vocabulary, 0))
    later = list(batches(recipe, recipe.stages[0], vocabulary, 2))
    assert len(whole) == 4
    for one, other in zip(whole[2:], later, strict=True):
        for ours, theirs in (
            (one.pixels, other.pixels),
            (one.grids, other.grids),
            (one.where, other.where),
            (one.rows and one.rows.ids, other.rows and other.rows.ids),
        ):
            assert (ours is None) == (theirs is None)
            assert ours is None or torch.equal(ours, theirs)
    first = [batch.pixels if batch.pixels is not None else batch.rows.ids for batch in whole[:2]]
    assert first[0].shape != first[1].shape or not torch.equal(*first)


def test_every_so_many_batches_ask_for_values(tmp_path) -> None:
    """Several questions stand beside each view, one after another, and of those most are for values that the view shows."""
    stage = Stage("large", 448, 4, 2, 1e-3, ((1.0, "tiles"),), answers_every=2)
    recipe = Recipe(TINY, (stage,), processes=0, tilings=("grid",))
    vocabulary = Vocabulary.load(describe(blank_checkpoint(recipe, 448, tmp_path)))
    reading, answering = list(batches(recipe, stage, vocabulary, 0))[:2]
    assert recipe.taught == {"ocr", "answer"}
    assert reading.rows is not None
    assert answering.rows is not None
    assert len(reading.rows.ids) == 2
    assert len(answering.rows.ids) == 2 * ANSWERS_A_VIEW
    said = [
        vocabulary.tokenizer.decode(row[types == 0].tolist())
        for row, types in zip(answering.rows.ids, answering.rows.token_types, strict=True)
    ]
    assert all(words.strip().startswith("answer en ") for words in said)
    told = [vocabulary.tokenizer.decode(row[row >= 0].tolist()) for row in answering.rows.labels]
    assert sum(words != "unanswerable" for words in told) > len(told) / 2


def test_values_are_asked_as_a_run_asks_them() -> None:
    """Of every kind of document that has fields, of views that show none of them too, and now and then for what only other kinds have."""
    rng, kinds, told = stream("test"), set(), {"shown": 0, "elsewhere": 0, "foreign": 0}
    for seed in range(60):
        for seen in views("fields", seed, 448, count=2, drawn=False, tilings=("grid",)):
            own = {f"answer en {field.question}": field for field in seen.page.fields}
            kinds.add(seen.sheet.kind)
            for prompt, answer in values(rng, seen, 2):
                assert answer == (seen.answer(prompt) or UNANSWERABLE)
                is_missing = "foreign" if prompt not in own else "elsewhere"
                told[is_missing if answer == UNANSWERABLE else "shown"] += 1
    assert kinds == {"invoice", "receipt", "letter", "form", "statement", "article"}
    assert told["shown"] > sum(told.values()) / 2
    assert min(told.values()) > sum(told.values()) / 20


def test_short_answers_are_places_too_where_those_are_taught(tmp_path) -> None:
    """Beside the values of a view stands one question for things that a view shows or does not show."""
    stage = Stage("large", 448, 1, 2, 1e-3, ((1.0, "tiles"),), answers_every=1, asks=(("ocr", 1), ("detect", 1)))
    recipe = Recipe(TINY, (stage,), processes=0, tilings=("grid",))
    vocabulary = Vocabulary.load(describe(blank_checkpoint(recipe, 448, tmp_path)))
    (batch,) = batches(recipe, stage, vocabulary, 0)
    assert batch.rows is not None
    first = [
        vocabulary.tokenizer.decode(row[types == 0].tolist()).split()[0]
        for row, types in zip(batch.rows.ids, batch.rows.token_types, strict=True)
    ]
    assert first == 2 * [*(ANSWERS_A_VIEW - 1) * ["answer"], "detect"]


def test_processes_share_the_views_of_a_step(tmp_path) -> None:
    """Each has its part of the views, no two the same one, and all have the same lesson at the same step."""
    stage = Stage("large", 448, 4, 4, 1e-3, ((1.0, "tiles"),), answers_every=2)
    recipe = Recipe(TINY, (stage,), processes=0, views=2, tilings=("grid",))
    vocabulary = Vocabulary.load(describe(blank_checkpoint(recipe, 448, tmp_path)))
    parts = [list(batches(recipe, stage, vocabulary, 2, Part(index, 2))) for index in range(2)]
    for together in zip(*parts, strict=True):
        assert [len(batch.pixels) for batch in together] == [2, 2]
        assert len({len(batch.rows.ids) for batch in together}) == 1
        assert not torch.equal(together[0].pixels, together[1].pixels)
    assert len(parts[0]) == stage.steps - 2


def test_answers_that_are_taught_can_be_decoded() -> None:
    """Whatever a view is asked in training, the task's own decoder takes the true answer"""
    rng, kinds = stream("test"), set()
    for seed in range(12):
        for seen in views("tiles", seed, 448, drawn=False):
            shown, prompt, answer = asked(rng, seen, "tiles", 448, EACH_TASK)
            assert tokens(answer) <= LONGEST[448]
            kinds.add(prompt.split()[0])
            said = Completion(answer, (), (), "stop")
            reading = None
            if prompt.startswith("detect"):
                reading = detect.decode(said, shown.affine, LABELS, prompt)
            elif prompt in ("spot", "table"):
                reading = (spot if prompt == "spot" else table).decode(said, shown.affine)
            assert reading is None or reading.verdict != "reject", (prompt, answer, reading)
    assert kinds == {"ocr", "spot", "answer", "detect", "table"}


def test_a_dense_tile_is_taught_as_it_is_served() -> None:
    """Of its text a strip is shown and asked for, padded, letters as they are; tables and values are asked of the whole tile."""
    rng, strips = stream("test"), 0
    for seed in range(12):
        for seen in views("tiles", seed, 448, tilings=("grid",)):
            parts = [each.shown() for each in with_strips([seen.region], 448) if not each.is_divided]
            text, prompt, answer = asked(rng, seen, "tiles", 448, [("ocr", 1)])
            assert (prompt, answer) == ("ocr", text.answer("ocr"))
            assert text.region in parts
            if len(parts) > 1:
                strips += 1
                assert text.region.is_strip
                assert text.region.is_padded
                assert len(answer) < len(seen.answer("ocr") or "")
                assert text.image is not None
                assert (text.image[round(text.region.part[1] * 448) + 1 :] == 255).all()
            whole, _, _ = asked(rng, seen, "tiles", 448, [("detect", 1)])
            assert whole.region == seen.region
    assert strips > 3


def test_a_slim_tile_is_taught_as_it_is_served() -> None:
    """A headline over columns is shown on white, its letters as they are; what it says and where is counted in all of the view."""
    drawn = (each for seed in range(400) for each in views("tiles", seed, 448, count=2, tilings=("grid",)))
    for seen in islice((each for each in drawn if each.region.is_slim and each.answer("ocr")), 3):
        across, down = seen.region.part
        assert min(across, down) < 0.5 < max(across, down)
        assert seen.image is not None
        assert (seen.image[round(down * 448) :] == 255).all()
        assert (seen.image[:, round(across * 448) :] == 255).all()
        lines = spot.decode(Completion(seen.answer("spot") or "", (), (), "stop"), seen.affine).lines
        assert [line.text for line in lines] == (seen.answer("ocr") or "").split("\n")
        for line, box in zip(lines, seen.line_boxes(), strict=True):
            assert box.x1 <= across + 1e-6
            assert box.y1 <= down + 1e-6
            assert any(line.box.intersection(true.box) > 0.8 * line.box.area for true in seen.page.lines)
        found = detect.decode(
            Completion(seen.answer("detect title") or "", (), (), "stop"), seen.affine, ("title",), "detect title"
        )
        assert all(any(box.box.intersection(true.box) > 0.8 * box.box.area for true in seen.page.boxes) for box in found.boxes)


@pytest.mark.parametrize("recipe", [ON_CPU, ON_CUDA])
def test_a_recipe_goes_through_its_stages(recipe) -> None:
    """Rates rise, hold and fall to nearly nothing; the easy lessons come first; the last stage is the resolution that ships."""
    assert [stage.name for stage in recipe.stages] == ["tower", "grids", "walk", "words", "large", "places", "whole"]
    assert recipe.stages[-1].resolution == 448
    for stage in recipe.stages:
        assert stage.rate_at(0) < max(map(stage.rate_at, range(stage.steps))) == pytest.approx(stage.rate)
        assert 0 < stage.rate_at(stage.steps - 1) < 0.02 * stage.rate
        reading = replace(stage, answers_every=None)
        assert reading.lesson(0) == stage.lessons[0][1]
        assert reading.lesson(stage.steps - 1) == stage.lessons[-1][1]
