"""Find, parse and check tracks: the package's own, then private ones under `$ASSAY_HOME/tracks`."""

from dataclasses import dataclass
from pathlib import Path

from assay.canonical import digest_json
from assay.console import say
from assay.errors import TrackError, UserError
from assay.home import assay_home, package_folder
from assay.spec import did_you_mean, load_yaml, parse, plain
from assay.suite import Suite
from assay.suite.clip import ClipSuite
from assay.suite.clip.files import load_clip_suite
from assay.suite.files import load_suite
from assay.track.clip_spec import ClipRecipe, ClipScale, PairPoolRef
from assay.track.seals import add_seals, read_seals
from assay.track.spec import PoolRef, Recipe, Rules, Scale, TrackFile


@dataclass(frozen=True)
class LoadedScale:
    """One track at one scale, parsed and compared with its seal.

    Attributes:
        track: Such as `text`.
        scale: Such as `nano`.
        file: What the track's scales share.
        spec: The scale's own file.
        suite: The evaluation suite that the scale names.
        seal: Digest over everything above that can change a score.
        sealed: Whether `SEALS.json` holds that very digest.
        folder: Where the track's files are.
    """

    track: str
    scale: str
    file: TrackFile
    spec: Scale | ClipScale
    suite: Suite | ClipSuite
    seal: str
    sealed: bool
    folder: Path

    @property
    def label(self) -> str:
        """Return `track/scale@version`."""
        return f"{self.track}/{self.scale}@{self.spec.version}"

    @property
    def modality(self) -> str:
        """Return the kind of model that the track trains."""
        return self.file.modality

    @property
    def rules(self) -> Rules:
        """Return which submissions are accepted."""
        return self.file.rules

    @property
    def recipe(self) -> Recipe | ClipRecipe:
        """Return the sealed training recipe."""
        return self.spec.recipe

    @property
    def suite_folder(self) -> Path:
        """Where the suite's item files are or will be."""
        return suite_path(self.suite)


def suite_path(suite: Suite | ClipSuite) -> Path:
    """Return the folder of a suite's item files, named by content so that suites never mix."""
    digest = digest_json(plain(suite)).removeprefix("sha256:")[:12]
    return assay_home() / "suites" / f"{suite.name}-{digest}"


def track_roots() -> list[Path]:
    """Return the folders that hold tracks, the package's own first."""
    return [package_folder("tracks"), assay_home() / "tracks"]


def list_scales() -> list[tuple[str, str]]:
    """Return every (track, scale) that this machine knows, the package's own first, by budget.

    A private scale that cannot be loaded is left out, and said.
    """
    own, private = track_roots()
    found: list[tuple[str, str]] = []
    for root in (own, private):
        for file in sorted(root.glob("*/track.yaml")):
            scales = _readable(file.parent) if root == private else _own(file.parent)
            found += [
                (file.parent.name, scale)
                for scale in sorted(scales, key=lambda name: (scales[name], name))
            ]
    return found


def _own(folder: Path) -> dict[str, int]:
    """Return the scales of one of the package's tracks with their budgets."""
    modality = load_track_file(folder).modality
    files = sorted(folder.glob("scales/*.yaml"))
    return {f.stem: load_scale_file(f, modality).recipe.budget.amount for f in files}


def _readable(folder: Path) -> dict[str, int]:
    """Return the scales of a private track that can be loaded, with their budgets."""
    budgets: dict[str, int] = {}
    for file in sorted(folder.glob("scales/*.yaml")):
        try:
            budgets[file.stem] = load_from(folder, folder.name, file.stem).recipe.budget.amount
        except UserError as error:
            say(f"left out {folder.name}/{file.stem}: {error}")
    return budgets


def check_names(track: str | None, scale: str | None) -> None:
    """Check that a track and a scale, where they are given, exist.

    Raises:
        TrackError: If one does not.
    """
    known = list_scales()
    for noun, word, names in (
        ("track", track, sorted({pair[0] for pair in known})),
        ("scale", scale, sorted({pair[1] for pair in known if track in (None, pair[0])})),
    ):
        if word is not None and word not in names:
            raise TrackError(
                f"there is no {noun} {word!r}{did_you_mean(word, names)}; see: assay tracks"
            )


def load_track_file(folder: Path) -> TrackFile:
    """Parse a track's `track.yaml`.

    Raises:
        TrackError: Naming the key, what was expected and what was got.
    """
    return parse(TrackFile, load_yaml(folder / "track.yaml"), str(folder / "track.yaml"))


def load_scale_file(path: Path, modality: str) -> Scale | ClipScale:
    """Parse one `scales/*.yaml`.

    Raises:
        TrackError: Naming the key, what was expected and what was got.
    """
    if modality == "clip":
        clip = parse(ClipScale, load_yaml(path), str(path))
        _check_clip_recipe(clip.recipe, str(path))
        return clip
    scale = parse(Scale, load_yaml(path), str(path))
    _check_text_recipe(scale.recipe, str(path))
    return scale


def _check_clip_recipe(recipe: ClipRecipe, path: str) -> None:
    """Refuse numbers that do not go into each other."""
    if recipe.samples_seen % recipe.global_batch_size:
        raise TrackError(
            f"{path}: samples_seen {recipe.samples_seen} is no multiple of global_batch_size "
            f"{recipe.global_batch_size}; a run has whole steps"
        )
    if recipe.schedule.warmup_steps >= recipe.steps:
        raise TrackError(
            f"{path}: warmup_steps {recipe.schedule.warmup_steps} fill the run's {recipe.steps} steps; warm up for fewer"
        )
    crop = (recipe.preprocess.crop_scale, recipe.preprocess.crop_ratio)
    if recipe.preprocess.augmentation == "crop" and not all(len(pair) == 2 for pair in crop):
        raise TrackError(
            f"{path}: augmentation crop needs crop_scale and crop_ratio of two numbers each, got {crop}"
        )
    group = recipe.model.image.norm_group
    if group is not None and recipe.global_batch_size % group:
        raise TrackError(
            f"{path}: global_batch_size {recipe.global_batch_size} is no multiple of norm_group {group}; "
            "a batch has whole groups"
        )


def _check_text_recipe(recipe: Recipe, path: str) -> None:
    """Refuse numbers that do not go into each other."""
    if recipe.tokens_seen % recipe.global_batch_tokens:
        raise TrackError(
            f"{path}: tokens_seen {recipe.tokens_seen} is no multiple of global_batch_tokens "
            f"{recipe.global_batch_tokens}; a run has whole steps"
        )
    if recipe.global_batch_tokens % recipe.model.context_length:
        raise TrackError(
            f"{path}: global_batch_tokens {recipe.global_batch_tokens} is no multiple of "
            f"context_length {recipe.model.context_length}; a batch has whole windows"
        )


def load(track: str, scale: str) -> LoadedScale:
    """Load a track at a scale.

    Raises:
        TrackError: If either is unknown, or a file does not parse.
    """
    return load_from(_track_folder(track), track, scale)


def load_from(folder: Path, track: str, scale: str) -> LoadedScale:
    """Load a scale of a track whose files are in `folder`, which may not be in place yet.

    Raises:
        TrackError: If the scale is unknown, or a file does not parse.
    """
    file = load_track_file(folder)
    path = folder / "scales" / f"{scale}.yaml"
    if not path.is_file():
        known = [name for parent, name in list_scales() if parent == track]
        raise TrackError(
            f"track {track!r} has no scale {scale!r}{did_you_mean(scale, known)}; it has "
            f"{', '.join(known)}; see: assay tracks"
        )
    spec = load_scale_file(path, file.modality)
    suite_file = folder / "suites" / f"{spec.suite.name}.yaml"
    suite = (load_clip_suite if file.modality == "clip" else load_suite)(suite_file)
    seal = digest_json(
        {
            "modality": file.modality,
            "rules": plain(file.rules),
            "scale": plain(spec),
            "suite": plain(suite),
        }
    )
    sealed = read_seals(folder).get(f"{track}/{scale}@{spec.version}") == seal
    return LoadedScale(track, scale, file, spec, suite, seal, sealed, folder)


def _track_folder(track: str) -> Path:
    for root in track_roots():
        if (root / track / "track.yaml").is_file():
            return root / track
    known = sorted({name for name, _ in list_scales()})
    raise TrackError(
        f"there is no track {track!r}{did_you_mean(track, known)}; known are {', '.join(known)}; see: assay tracks"
    )


def embedded_pools() -> list[PoolRef | PairPoolRef]:
    """Return the pools that the package generates, one a scale, smallest first."""
    refs: set[PoolRef | PairPoolRef] = set()
    for file in package_folder("tracks").glob("*/track.yaml"):
        modality = load_track_file(file.parent).modality
        refs |= {load_scale_file(f, modality).pool for f in file.parent.glob("scales/*.yaml")}
    return sorted((ref for ref in refs if ref.size), key=lambda ref: (ref.size or 0, ref.name))


def write_seals(loaded: list[LoadedScale]) -> None:
    """Record the digests of these scales.

    Raises:
        TrackError: If a version that is sealed already would change: a score under it may exist.
    """
    for folder in {item.folder for item in loaded}:
        seals, here = read_seals(folder), [item for item in loaded if item.folder == folder]
        for item in here:
            if seals.get(item.label, item.seal) != item.seal:
                raise TrackError(
                    f"{item.label} is sealed and its files differ; bump `version` in "
                    f"{folder / 'scales' / (item.scale + '.yaml')}, then: make seal"
                )
        add_seals(folder, {item.label: item.seal for item in here})
