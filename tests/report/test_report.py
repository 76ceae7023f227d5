import base64
import csv
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from assay import ledger
from assay.cli import main
from assay.compare.entries import gather
from assay.compare.published import compare_results
from assay.compare.submissions import Comparison, compare_submissions
from assay.report.document import Report, published_report, submissions_report
from assay.report.figure import Figure, spaced
from assay.report.files import write_report
from assay.report.page import page
from assay.report.render import png, svg
from assay.report.theme import DARK, LIGHT, PAGE, Theme
from made_up_ledger import HOSTILE, TASKS, fill, record, write_losses

ANCHOR = Path(__file__).parents[2] / "../shared/data/anchors/DCLM_model_database.csv"
NAMES = ["first", "second", HOSTILE, "fourth", "fifth", "last"]
SCALES = ["pico", "nano", "micro"]
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """What a browser makes of the page: tags with attributes, text, and whether tags nest."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def report_of(scales: list[str], names: list[str], metric: str | None = None) -> Report:
    scores = gather("text", scales, names)
    return submissions_report(compare_submissions(scores, metric), scores)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(folder))
        fill(NAMES, SCALES)
        yield folder


@pytest.fixture(scope="module")
def comparison(home: Path) -> Comparison:
    return compare_submissions(gather("text", SCALES, NAMES))


@pytest.fixture(scope="module")
def report(home: Path) -> Report:
    return report_of(SCALES, NAMES)


@pytest.fixture(scope="module")
def text(report: Report) -> str:
    return page(report)


def figure(report: Report, key: str) -> Figure:
    return next(figure for figure in report.figures if figure.key == key)


def test_three_scales_have_every_figure_that_the_records_allow(report: Report) -> None:
    assert [f.key for f in report.figures] == [
        "scores", "scaling", "rank-flow", "differences-pico", "differences-nano", "differences-micro",
        "rank-transfer", "selective", "scatter-pico-nano", "scatter-pico-micro", "scatter-nano-micro",
        "noise", "losses",
    ]  # fmt: skip


def test_every_figure_draws_without_a_warning_and_in_its_themes(
    report: Report, capfd: pytest.CaptureFixture[str]
) -> None:
    import vl_convert

    from assay.report.render import complete

    for each in report.figures:
        if each.spec is None:
            continue
        drawn = vl_convert.vegalite_to_svg(complete(each, DARK), show_warnings=True)
        assert DARK.ink in drawn, each.key
        assert LIGHT.ink not in drawn, each.key
        assert "NaN" not in drawn, each.key
        assert "undefined" not in drawn, each.key
    said = capfd.readouterr()
    assert "WARN" not in said.out + said.err


def test_the_page_leaves_every_colour_to_the_readers_theme(report: Report) -> None:
    for each in report.figures:
        if each.spec is not None:
            colors = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg(each, PAGE)))
            assert colors <= {
                "none", "transparent", PAGE.paper, PAGE.ink, PAGE.muted, PAGE.grid, *PAGE.categories,
            }, each.key  # fmt: skip


def test_the_figures_hold_the_comparisons_numbers(comparison: Comparison, report: Report) -> None:
    nano = comparison.scales[1]
    scores = {r["submission"]: r for r in figure(report, "scores").data if r["scale"] == "nano"}
    for entry in nano.entries:
        row = scores[entry.name]
        assert row["mean"] == entry.mean
        assert entry.half_width is not None
        assert row["high"] - row["mean"] == pytest.approx(entry.half_width)
    rows = [r for r in figure(report, "differences-nano").data if r["submission"] == "last"]
    versus = nano.entries[-1].versus_first
    assert versus is not None
    assert versus.on_this_suite is not None
    assert [row["task"] for row in rows] == ["all tasks", *TASKS]
    assert rows[0]["low"] == versus.on_this_suite.low
    assert [row["verdict"] for row in rows] == ["worse"] * 4  # more bits, half a bit apart
    flow = figure(report, "rank-flow").data
    assert [r["submission"] for r in flow if r["scale"] == "micro"] == NAMES
    accuracy = [
        r for r in figure(report, "rank-transfer").data if r["statistic"] == "decision accuracy"
    ]
    assert [r["value"] for r in accuracy] == [
        pair.transfer.decision_accuracy.value for pair in comparison.pairs if pair.transfer
    ]
    noise = figure(report, "noise").data
    assert noise[0]["sd"] == comparison.scales[0].pooled_sd
    assert [row["score"] for row in noise[:4]] == ["bits/byte", *TASKS]


def test_accuracy_turns_the_verdicts_round(home: Path) -> None:
    found = report_of(["nano"], ["last", "first"], "centered_accuracy")
    rows = figure(found, "differences-nano").data
    assert rows[0]["difference"] > 0
    assert rows[0]["verdict"] == "better"


def test_losses_are_means_over_stretches_and_runs(report: Report) -> None:
    rows = [
        r
        for r in figure(report, "losses").data
        if r["scale"] == "nano" and r["submission"] == "first"
    ]
    assert rows[-1]["step"] == 150
    assert [r["step"] for r in rows] == sorted({r["step"] for r in rows})
    # Three runs that lie 0.1 apart, of losses that fall evenly: the mean over everything is the middle's.
    widths = np.diff([0, *(r["step"] for r in rows)])
    assert np.average([r["loss"] for r in rows], weights=widths) == pytest.approx(2.5 + 0.1)
    assert all(r["high"] - r["low"] == pytest.approx(0.2) for r in rows)


def test_a_torn_or_absent_curve_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    fill(["a", "b"], ["nano"], seeds=2)
    for path in tmp_path.glob("runs/*/metrics.jsonl"):
        path.write_text('{"step": 0, "lo')
    keys = [f.key for f in report_of(["nano"], ["a", "b"]).figures]
    assert keys == ["scores", "differences-nano", "noise"]


def test_runs_of_another_length_do_not_enter_a_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    fill(["a", "b"], ["nano"], seeds=2)
    write_losses(record("a", "nano", 1, [1.0, 1.0, 1.0]), np.ones(7))
    found = report_of(["nano"], ["a", "b"])
    cells = figure(found, "losses").table.rows
    assert [row[2] for row in cells] == ["1 of 2", "2 of 2"]


def test_one_seed_each_says_that_the_noise_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    fill(["a", "b"], ["nano"], seeds=1)
    found = report_of(["nano"], ["a", "b"])
    assert [f.key for f in found.figures] == ["scores", "losses"]
    assert "noise is unknown" in " ".join(found.summary)
    assert png(found.figures[0]).startswith(b"\x89PNG")


def test_names_of_strangers_never_become_markup(text: str) -> None:
    seen = Page(text)
    assert not seen.open
    assert "alert(1)</script>" not in text
    scripts = seen.named("script")
    assert len([s for s in scripts if "type" not in s]) == 2
    assert not any(name.startswith("on") for _, attrs in seen.tags for name in attrs)
    cells = seen.texts["th"]
    assert HOSTILE in cells
    assert any(HOSTILE in line for line in seen.texts["text"])  # in a drawing, as text


def test_the_policy_runs_the_pages_two_scripts_alone_and_loads_nothing(text: str) -> None:
    seen = Page(text)
    policy = next(m["content"] for m in seen.named("meta") if m.get("http-equiv")) or ""
    assert policy.startswith("default-src 'none'; ")
    bodies = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digests = {
        "'sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() + "'"
        for body in bodies
    }
    rule = next(part for part in policy.split("; ") if part.startswith("script-src "))
    assert set(rule.removeprefix("script-src ").split()) == digests
    for tag, attrs in seen.tags:
        assert "src" not in attrs, tag
        if tag == "a":
            assert (attrs["href"] or "").startswith(("#", "data:text/csv;"))
    assert "url(http" not in text


def test_without_scripts_every_figure_has_a_drawing_a_name_a_table_and_its_data(
    report: Report, text: str
) -> None:
    seen = Page(text)
    drawn = [f for f in report.figures if f.spec is not None]
    described = [d["aria-label"] for d in seen.named("div") if d.get("role") == "img"]
    assert described == [f.alt for f in drawn]
    assert len(seen.named("svg")) == len(drawn)
    assert len(seen.named("table")) == len(report.figures)
    links = {a["download"]: a["href"] for a in seen.named("a") if "download" in a}
    for each in report.figures:
        data = unquote((links[f"{each.key}.csv"] or "").partition(",")[2])
        rows = list(csv.DictReader(io.StringIO(data)))
        assert len(rows) == len(each.data)
        assert rows[0].keys() == each.data[0].keys()
    ids = [attrs["id"] for _, attrs in seen.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_the_embedded_specifications_are_json_with_the_names_intact(text: str) -> None:
    found = re.findall(
        r'<script type="application/json" id="([^"]+)">(.*?)</script>', text, re.DOTALL
    )
    specs = {name: json.loads(body) for name, body in found}
    names = {row["submission"] for row in specs["scores-spec"]["data"]["values"]}
    assert HOSTILE in names
    assert specs["scaling-spec"]["config"]["axis"]["labelColor"] == "var(--ink)"


def test_the_same_records_give_the_same_bytes(home: Path, text: str) -> None:
    assert page(report_of(SCALES, NAMES)) == text


def test_methods_with_another_list_at_each_scale_are_drawn_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    for scale in ("pico", "nano"):
        for quality, name in enumerate("ab"):
            for seed in range(2):
                bits = [1.0 + 0.1 * quality + 0.01 * seed] * 3
                ledger.append(record(name, scale, seed, bits, list_name=f"{name} {scale}"))
    out = tmp_path / "report.html"
    words = ["compare", "a", "b", "--track", "text", "--scales", "pico,nano", "--out", str(out)]
    assert main(words) == 0
    capsys.readouterr()
    assert "text: 2 submissions at pico, nano" in out.read_text()
    flow = list(csv.DictReader(io.StringIO((tmp_path / "report" / "rank-flow.csv").read_text())))
    assert [row["submission"] for row in flow if row["scale"] == "nano"] == ["a", "b"]


def test_the_command_writes_the_page_and_its_figures(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sub" / "report.html"
    words = ["compare", "first", "last", "--track", "text", "--scales", "nano", "--out", str(out)]
    assert main([*words, "--json"]) == 0
    answer = capsys.readouterr()
    assert json.loads(answer.out)["track"] == "text"
    assert str(out) in answer.err
    assert out.read_text().startswith("<!doctype html>")
    folder = out.with_suffix("")
    for key in ("scores", "differences-nano", "losses"):
        with Image.open(folder / f"{key}.png") as image:
            assert min(image.size) > 150
            colors = image.convert("RGB").getcolors(1 << 24)
        assert colors is not None
        assert len(colors) > 10  # more than paper and ink
        assert (folder / f"{key}.svg").read_text().startswith("<svg")
    assert (folder / "noise.csv").is_file()
    assert not (folder / "noise.svg").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "report.pdf"], "try --out report.html"),
        (["--results", "x.csv", "--law", "cmr", "--out", "r.html"], "no figures"),
    ],
)
def test_a_report_that_cannot_be_is_refused_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["compare", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_without_the_extra_the_refusal_names_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    assert main(["compare", "first", "last", "--out", "report.html"]) == 2
    assert "pip install -c constraints.txt -e '.[report]'" in capsys.readouterr().err


@pytest.mark.realdata
@pytest.mark.skipif(not ANCHOR.is_file(), reason="real data is not here")
def test_a_report_of_dclms_database(tmp_path: Path) -> None:
    found = published_report(compare_results(ANCHOR))
    assert [f.key for f in found.figures] == [
        "scatter-412m-1x-6-9b-1x",
        "rank-transfer",
        "selective",
    ]
    assert len(found.figures[0].data) == 11
    statistics = {row["statistic"]: row["value"] for row in found.figures[1].data}
    assert statistics["decision accuracy"] == pytest.approx(0.836, abs=0.0005)
    files = write_report(found, tmp_path / "dclm.html")
    assert len(files) == 10
    assert all(file.stat().st_size > 100 for file in files)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_and_marks_stand_out_from_the_paper(theme: Theme) -> None:
    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(color: str) -> float:  # WCAG 2.2
        low, high = sorted([luminance(color), luminance(theme.paper)])
        return (high + 0.05) / (low + 0.05)

    assert min(map(contrast, theme.categories)) >= 3
    assert min(contrast(theme.ink), contrast(theme.muted)) >= 4.5


@pytest.mark.parametrize("seed", range(20))
def test_labels_keep_their_order_and_distance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted = rng.uniform(0, 1, rng.integers(1, 20)).tolist()
    placed = spaced(wanted, 0.05, 0.0, 1.0)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(np.array(placed)[order]) >= 0.05 - 1e-9).all()
    assert min(placed) >= -1e-9
    assert max(placed) <= 1 + 1e-9
    far = spaced([0.1, 0.5, 0.9], 0.05, 0.0, 1.0)
    assert far == [0.1, 0.5, 0.9]  # what does not collide stays
