"""A run that goes on from a bundle with pairs of a city: the settings that are not said follow from both.

The network and its inputs are the bundle's, and so are the changes that were made to its training pairs. The rate is
low, the first stages are frozen, half of each batch is the bundle's own world again, and the weights with the best
recall on the held-out area are published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch.nn import BatchNorm2d

from model.common.atomic_io import read_json
from model.common.errors import BadDataset
from model.data.manifest import read_manifest
from model.data.pairs import PairSet
from model.data.samplers import most_in_a_batch
from model.inputs.anchors import REACH
from model.network.checkpoints import Bundle, load_bundle

__all__ = ["REPLAYED", "fine_tuning_tree"]

REPLAYED = "world:replay"
"""What is replayed to a network that was trained on the world."""
_LARGEST_BATCH = 64
"""Of the city's own pairs."""
_MOST_REPLAYED = 48
"""Pairs of `world:replay` in a batch: some 65 fit, as most tiles show several cameras, and fewer in some orders."""
_FILL = 0.75
"""Share of the pairs that fit into one batch which a batch has, so that orders differ."""
_SLOWER = 0.2
"""Of the rate that the bundle was trained at."""
_TAKEN = ("optimizer", "weight_decay", "backbone_lr", "precision")
"""What holds for the bundle's own training holds for its fine-tuning."""
_RATE = 1e-4
"""Where nobody knows that."""
_AVERAGED = 0.97
"""Decay of the averaged weights: those of a single early step are noisy, and lose what the average gains."""


def fine_tuning_tree(init: str, data: Path | None) -> dict[str, Any]:
    """The settings of a run, as nested values that a configuration and overrides may change.

    Args:
        init: a bundle's folder, or the name of a packaged one.
        data: a folder with `train.csv` and `val.csv`; None where the run's own settings name its data.

    Raises:
        BadCheckpoint: no such bundle.
        BadDataset: the folder has no such manifests, too few pairs, or a damaged note.
    """
    bundle = load_bundle(init)
    tree: dict[str, Any] = {
        "name": f"{bundle.name}-tuned",
        "model": asdict(bundle.net.spec),
        "inputs": asdict(bundle.net.inputs),
        "pretrained": f"bundle:{init}",
        "optim": _optim(bundle),
        "data": {"cache": True, "augment": _augment(bundle), "replay": REPLAYED if _knows_the_world(bundle) else ""},
    }
    if data is not None:
        batch, manifests = _from_folder(data, bundle)
        tree["data"] |= manifests | _ground_of(data)
        tree["optim"]["batch"] = 2 * min(batch, _MOST_REPLAYED) if tree["data"]["replay"] else batch
    return tree


def _from_folder(data: Path, bundle: Bundle) -> tuple[int, dict[str, str]]:
    """Pairs of the city in a batch, and where its pairs are."""
    manifests = {"train": data / "train.csv", "val": data / "val.csv"}
    missing = [path.name for path in manifests.values() if not path.is_file()]
    if missing:
        raise BadDataset(
            f"{data} has no {' and no '.join(missing)}; make the folder with `python -m indexer pairs`, "
            "or name manifests with --set data.train=FILE --set data.val=FILE"
        )
    pairs = read_manifest(manifests["train"])
    _require_margin(pairs, bundle)
    most = most_in_a_batch(pairs)
    if most < 2:
        raise BadDataset(f"the {len(pairs.queries)} photos of {manifests['train']} stand at one place; add others")
    batch = max(2, min(_LARGEST_BATCH, int(_FILL * most)))
    return batch, {name: str(path) for name, path in manifests.items()}


def _ground_of(data: Path) -> dict[str, Any]:
    """The ground that the tiles show, as the folder's note tells it; nothing where it has none."""
    note = data / "pairs.json"
    if not note.is_file():
        return {}
    try:
        side_m = read_json(note).get("tile_m")
    except ValueError as error:
        raise BadDataset(f"{note} is damaged ({error}); make the folder anew with `python -m indexer pairs`") from error
    return {"tile_m": [side_m, side_m]} if isinstance(side_m, int | float) and side_m > 0 else {}


def _require_margin(pairs: PairSet, bundle: Bundle) -> None:
    least = min(tile.margin for tile in pairs.references)
    if bundle.net.inputs.anchors > 1 and least < REACH:
        raise BadDataset(
            f"{pairs.name} has tiles with a margin of {least}, and {bundle.name} needs {REACH} around its anchors; "
            "make the pairs with --margin 0.5"
        )


def _run_of(bundle: Bundle) -> Mapping[str, Any]:
    """The run that made the bundle; empty where it does not say."""
    run = bundle.provenance.get("run")
    return run if isinstance(run, Mapping) else {}


def _knows_the_world(bundle: Bundle) -> bool:
    return str(bundle.trained_on).startswith("world:") or bool(_part(bundle, "data").get("replay"))


def _optim(bundle: Bundle) -> dict[str, Any]:
    before = _part(bundle, "optim")
    return {
        "steps": 120,
        **{key: before[key] for key in _TAKEN if key in before},
        "lr": round(_SLOWER * before["lr"], 9) if "lr" in before else _RATE,
        "warmup_steps": 10,
        "frozen_levels": max(1, before.get("frozen_levels", 0)),
        "frozen_norms": any(isinstance(module, BatchNorm2d) for module in bundle.net.modules()),
        "ema": _AVERAGED,
        "keep_best": True,
        "patience": 2,
        "eval_every": 40,
        "save_every": 20,
    }


def _augment(bundle: Bundle) -> dict[str, Any]:
    """The bundle's own, or shifts within the margin, turns and mirrors."""
    return {**_part(bundle, "data").get("augment", {"shift": 1.0}), "ramp_epochs": 0}


def _part(bundle: Bundle, name: str) -> Mapping[str, Any]:
    part = _run_of(bundle).get(name)
    return part if isinstance(part, Mapping) else {}
