"""What a worker can run: the server's scales whose law and pool it has, on the device it has."""

from collections.abc import Collection, Sequence
from typing import Any

from assay.errors import RemoteError
from assay.home import package_folder
from assay.pool import pool_path
from assay.pool.manifest import MANIFEST_FILE
from assay.remote.client import Client
from assay.spec import load_yaml, parse
from assay.track.costs import Costs
from assay.track.load import LoadedScale, list_scales, load
from assay.versions import versions

Pair = tuple[str, str]


def describe_worker(client: Client, device: str, wanted: Sequence[str]) -> dict[str, Any]:
    """Return what a worker tells the server about itself.

    Args:
        client: Of the server.
        device: `cpu` or `cuda`.
        wanted: Scales as `track/scale`, or tracks; none for every one that this machine is made for.

    Raises:
        RemoteError: If nothing that the server ranks can be run here.
    """
    ranked = {
        (one["track"], one["scale"]): one["seal"] for one in client.get("/v1/tracks")["items"]
    }
    known = set(list_scales())
    lacking = {
        pair: _lacking(pair, seal, known, device, wanted)
        for pair, seal in ranked.items()
        if not wanted or pair[0] in wanted or "/".join(pair) in wanted
    }
    pairs = [pair for pair, reason in lacking.items() if not reason]
    if not pairs:
        told = ", ".join(list(lacking.values())[:3]) or f"it ranks no {' or '.join(wanted)}"
        raise RemoteError(
            f"nothing that {client.url} ranks can be run here: {told}; see: assay tracks"
        )
    modalities = {load(*pair).modality for pair in pairs}
    software = {name: value for one in sorted(modalities) for name, value in versions(one).items()}
    return {
        "tracks": [{"track": track, "scale": scale} for track, scale in pairs],
        "device": device,
        "software": software,
    }


def _lacking(
    pair: Pair, seal: str, known: Collection[Pair], device: str, wanted: Sequence[str]
) -> str:
    """Return what keeps this machine from running a scale, or nothing."""
    name = "/".join(pair)
    if pair not in known:
        return f"{name} is not known here"
    loaded = load(*pair)
    if loaded.seal != seal:
        return f"{name} is under seal {seal[7:19]} there and {loaded.seal[7:19]} here"
    if not _has_pool(loaded):
        return f"the pool of {name} is not on this machine"
    if device == "cpu" and name not in wanted:
        return _beyond_cpu(loaded)
    return ""


def _has_pool(loaded: LoadedScale) -> bool:
    ref = loaded.spec.pool
    return ref.size is not None or (pool_path(ref.name) / MANIFEST_FILE).is_file()


def _beyond_cpu(loaded: LoadedScale) -> str:
    """Return why a CPU should not begin a run that nobody asked of it, or nothing."""
    path = package_folder("conf") / "costs.yaml"
    expected = parse(Costs, load_yaml(path), str(path)).expect(loaded.modality, loaded.scale)
    name = f"{loaded.track}/{loaded.scale}"
    if expected.gpus:
        return f"{name} is made for GPUs"
    if expected.seconds is None:
        # It may take days, and the lease would be held all the while.
        return f"nobody has measured {name} on a CPU (take it all the same: --take {name})"
    return ""
