"""Reports in a real browser, from disk and without a network: what is seen, clicked and typed, and nothing on the console."""

from datetime import timedelta

import pytest

from jobs.corrections import load_corrections
from jobs.plan.kept import keep
from jobs.report.build import build
from pipeline import read
from pipeline.places import Places
from pipeline.runs import Runs
from pipeline.storage import open_store
from schemas.page import Failure, Line
from schemas.plan import Estimate, Plan
from schemas.unit import Tally

HOSTILE = (
    '<script>alert("x")</script><img src=x onerror=alert(1)>',
    "javascript:alert(2)",
    "\u202egnp.eciovni\u202c</script><script>alert(3)</script>",
    "مرحبا 123",
    "W" * 5000,
    "]]>--><svg onload=alert(4)>\u2028\u2029&lt;b&gt;",
)


@pytest.fixture(scope="module", params=[True, False], ids=["one file", "many files"])
def small_report(small, request, tmp_path_factory):
    """Return the small sink's report, in both its forms."""
    return build(small, tmp_path_factory.mktemp("reports") / "report", picture_limit=10, is_one_file=request.param).index


def test_the_overview_says_what_came_of_the_sink(small_report, look):
    """Pages, documents, reasons, fields, runs and plots are there, and an example leads to its page."""
    page = look(small_report)
    text = page.inner_text("main")
    for words in (
        "1\npage\n",
        "fetch/unreachable",
        "due/not_a_date",
        "Confidence",
        "Agreement with the text layer",
        "Throughput",
        "Ladder",
        "Runs",
    ):
        assert words in text
    page.click("text=gone.pdf")
    page.wait_for_selector("text=no pages")
    assert "[hidden]" in page.inner_text("main")


def test_a_page_is_beside_its_picture(small_report, look):
    """The worst documents come first; a click shows the picture as it was rendered, and text, fields, tables and things beside it."""
    page = look(small_report, "#documents")
    assert page.locator(".documents tbody tr").all_inner_texts()[0].startswith("gone.pdf")
    page.click("text=a.pdf")
    page.wait_for_selector(".panel")
    panel = page.inner_text(".panel")
    for words in ("Invoice 17", "= 40.00 EUR", "stamp", "40.00", "not_a_date", "40.99"):
        assert words in panel
    assert page.evaluate(
        "() => { const picture = new Image(); picture.src = document.querySelector('svg image').getAttribute('href');"
        " return picture.decode().then(() => picture.naturalWidth) }"
    )
    assert page.locator(".sheet rect.box").count() == 2 + 1 + 3 + 1


def test_a_value_lights_its_box_and_a_box_its_value(small_report, look):
    """Hover and focus light the same box; a click on a box goes to its value."""
    page = look(small_report, "#document/0/1")
    lit = "() => [...document.querySelectorAll('.box.lit')].map(b => b.dataset.of)"
    page.hover("#fields-1")
    assert page.evaluate(lit) == ["fields-1"]
    page.focus("#things-0")
    page.mouse.move(5, 5)
    assert page.evaluate(lit) == ["things-0"]
    page.evaluate("document.activeElement.blur()")
    page.hover("[data-of='lines-0']")
    assert page.locator("#lines-0.lit").count() == 1
    page.click("[data-of='lines-0']")
    assert page.evaluate("document.activeElement.id") == "lines-0"


def test_everything_is_at_hand_on_the_keyboard(shelf, make, look, tmp_path):
    """Search, lists, pages, documents, layers, zoom, help and the way back need no mouse."""
    path = shelf.pdf("three.pdf", "one", "two", "three")
    rows = lambda source: [make("rich", source), *(type(make("rich", source))(make("page", source, k), ()) for k in (1, 2))]  # noqa: E731
    sink = shelf.fill([(str(path), rows), ("s3://b/other.pdf", lambda source: [make("rich", source)])])
    page = look(build(sink, tmp_path / "report", picture_limit=0, is_one_file=None).index)
    page.keyboard.press("/")
    page.wait_for_selector("#search:focus")
    page.keyboard.type("three")
    assert page.locator(".documents tbody tr").count() == 1
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=page 1 of 3")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("text=page 2 of 3")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("text=page 1 of 3")
    page.focus("#lines-0")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "lines-1"
    page.keyboard.press("2")
    assert not page.locator("g.lines").is_visible()
    before = page.locator(".sheet svg").bounding_box()["width"]
    page.keyboard.press("+")
    assert page.locator(".sheet svg").bounding_box()["width"] > before
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    page.keyboard.press("]")
    page.wait_for_selector("text=other.pdf")
    page.keyboard.press("Escape")
    page.wait_for_selector(".documents")


def test_corrections_are_made_here_and_saved_as_a_file(small_report, small, look):
    """A value is corrected by the pencil or by `e`, taken back, or said not to be there, and a line too; what is saved `pagemill rerun` reads."""
    page = look(small_report, "#document/0/1")
    assert page.locator("#save").is_hidden()
    page.hover("#fields-1")
    page.click("#fields-1 .pencil")
    page.fill("#fields-1 input", "41.00 EUR")
    page.keyboard.press("Enter")
    assert "41.00 EUR" in page.inner_text("#fields-1")
    assert "corrected; was 40.00" in page.inner_text("#fields-1")
    page.focus("#fields-0")
    page.keyboard.press("e")
    page.click("#fields-0 >> text=Not on the page")
    page.focus("#lines-0")
    page.keyboard.press("e")
    page.fill("#lines-0 input", HOSTILE[0])
    page.keyboard.press("Enter")
    page.focus("#lines-1")
    page.keyboard.press("e")
    page.fill("#lines-1 input", "never mind")
    page.keyboard.press("Escape")
    assert page.inner_text("#save") == "Save 3 corrections"
    page.reload()
    page.wait_for_selector("#fields-1")
    assert "41.00 EUR" in page.inner_text("#fields-1")
    with page.expect_download() as saved:
        page.click("#save")
    assert saved.value.suggested_filename == "corrections.json"
    found = load_corrections(str(saved.value.path()))
    assert [(each.name, each.value, each.page_index) for each in found.fields] == [("total", "41.00 EUR", 0), ("due", None, 0)]
    assert [(each.line, each.before, each.after) for each in found.lines] == [(0, "Invoice 17", HOSTILE[0])]
    assert {each.source_id for each in (*found.fields, *found.lines)} == set(read(small, "pages")["source_id"].to_pylist())
    page.focus("#fields-1")
    page.keyboard.press("e")
    page.click("#fields-1 >> text=As it was")
    assert "corrected" not in page.inner_text("#fields-1")


def test_a_kept_plan_stands_beside_what_came_of_it(shelf, make, look, tmp_path):
    """Planned pages and requests, their intervals, and what the run after the plan did; what lies outside is said."""
    sink = shelf.fill([("s3://b/a.pdf", lambda source: [make("rich", source)])])
    runs = Runs(open_store(sink), Places(sink))
    (summary,) = runs.ended()
    runs.end(summary.model_copy(update={"pages_ok": 1, "tally": Tally(requests=9)}))
    near, far = Estimate(value=1, low=1, high=2), Estimate(value=20, low=15, high=30)
    keep(
        Plan(
            plan_id="20260301T110000-aaaaaa",
            job_name=summary.job_name,
            sink_uri=sink,
            made_at=summary.started_at - timedelta(hours=1),
            objects_listed=1,
            objects_left=1,
            documents_looked_at=1,
            pages_looked_at=1,
            pages=near,
            unreadable=Estimate(value=0, low=0, high=0),
            with_text_layer=near,
            blank=near,
            rungs=(),
            requests=far,
            tokens=far,
            gpu="h100",
            gpu_hours=near,
            taken_for_granted=("nothing at all",),
        )
    )
    text = look(build(sink, tmp_path / "report", picture_limit=0, is_one_file=None).index).inner_text("main")
    (card,) = [part for part in text.split("\n\n") if "pages\t" in part and "requests\t" in part] or [text]
    assert "Plan against actual" in text
    assert "nothing at all" in text
    assert "pages\t1\t1 and 2\t1\n" in card
    assert "requests\t20\t15 and 30\t9 outside" in card


@pytest.mark.parametrize("is_one_file", [True, False])
def test_hostile_words_stay_words(shelf, make, look, tmp_path, is_one_file):
    """Markup, addresses, turned and endless words of a page, a name or a failure are shown as they are, and nothing runs or overflows."""
    notes = tuple(Failure(stage="decode", code="nonsense", message=text) for text in HOSTILE)
    rows = type(make("rich", "s"))

    def pages(source: str) -> list:
        page = make(
            "page",
            source,
            status="partial",
            lines=tuple(Line(text=text) for text in HOSTILE),
            failures=notes,
            text="\n".join(HOSTILE),
        )
        return [rows(page, tuple(make("field", page, f"n{k}", value_text=text, reason=text) for k, text in enumerate(HOSTILE)))]

    sink = shelf.fill([(f"s3://b/{HOSTILE[0]}\u202e.pdf", pages)])
    index = build(sink, tmp_path / "report", picture_limit=5, is_one_file=is_one_file).index
    for at in ("", "#documents", "#document/0/1"):
        page = look(index, at, viewport={"width": 420, "height": 800})
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        assert page.locator("main img, main script, main svg[onload]").count() == 0
    assert page.locator("ol.text .said").all_text_contents() == list(HOSTILE)
    assert "<img src=x onerror=alert(1)>[U+202E].pdf" in page.inner_text("h1")
    assert page.locator("a[href]").evaluate_all("links => links.every(a => a.getAttribute('href').startsWith('#'))")


def test_a_report_is_dark_where_the_reader_is(small_report, look):
    """Its paper follows the system's colours, and words are legible on it in both."""
    paper = "getComputedStyle(document.querySelector('.card')).backgroundColor"
    light, dark = look(small_report, color_scheme="light"), look(small_report, color_scheme="dark")
    assert light.evaluate(paper) == "rgb(255, 255, 255)"
    assert all(int(part) < 60 for part in dark.evaluate(paper)[4:-1].split(","))


@pytest.mark.slow
def test_ten_thousand_pages_load_when_they_are_looked_at(shelf, make, look, tmp_path):
    """The list shows some of its rows until it is scrolled, a page loads its own data file alone, and what is loaded stays bounded."""
    rows = type(make("rich", "s"))

    def pages(source: str) -> list:
        first = make("rich", source)
        return [
            first,
            *(rows(first.page.model_copy(update={"page_index": k, "page_id": f"{source}{k}"}), ()) for k in range(1, 100)),
        ]

    sink = shelf.fill([(f"s3://b/in/{k:03d}.pdf", pages) for k in range(100)])
    built = build(sink, tmp_path / "report", picture_limit=0, is_one_file=None)
    assert built.pages == 10_000
    assert len(list((tmp_path / "report" / "data").glob("*.js"))) == 1 + -(-10_000 // 32)
    page = look(built.index, "#document/57/100")
    assert page.inner_text(".stepper") == "‹\npage 100 of 100\n›"
    scripts = page.evaluate("[...document.scripts].map(s => s.getAttribute('src'))")
    assert scripts == [f"data/{5799 // 32}.js", "report.js", "data/overview.js"]
    assert page.evaluate("performance.memory.usedJSHeapSize") < 60e6
    assert (tmp_path / "report" / "data" / "overview.js").stat().st_size < 200_000


def test_data_that_is_not_there_is_said(shelf, make, browser, tmp_path):
    """A report that was taken apart says so instead of staying empty."""
    sink = shelf.fill([("s3://b/a.pdf", lambda source: [make("rich", source)])])
    index = build(sink, tmp_path / "report", picture_limit=0, is_one_file=False).index
    (index.parent / "data" / "0.js").unlink()
    page = browser.new_page()
    page.goto(f"{index.as_uri()}#document/0/1")
    page.wait_for_selector("text=keep the report’s folder together")
    page.close()
