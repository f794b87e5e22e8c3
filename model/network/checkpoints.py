"""Checkpoint bundles with their networks: written, loaded, blended. Their files: `model.network.bundle_files`.

Loading is strict: a missing, unknown or misshapen weight is an error.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from model._version import VERSION
from model.common.atomic_io import staged_folder, write_json
from model.common.errors import BadCheckpoint, BadConfig, reason_of
from model.common.plain_files import require_plain
from model.common.specs import spec_from
from model.network.bundle_files import BUNDLE_FORMAT, SPEC, WEIGHTS, BundleInfo, read_bundle_info
from model.network.clnet import CLNet, CLNetSpec
from model.network.torch_files import load_torch_file

__all__ = [
    "Bundle",
    "blend_with",
    "load_bundle",
    "load_exactly",
    "named_bundle",
    "read_weights",
    "save_bundle",
    "start_from",
]

_FORMER = {"map_spread": 0.02, "maps": 1}
"""What held before it was a setting: bundles that do not say it were made so."""


@dataclass(frozen=True)
class Bundle(BundleInfo):
    """A loaded checkpoint.

    Attributes:
        net: the network in float32, on the CPU, in evaluation mode.
    """

    net: CLNet


def save_bundle(
    folder: Path | str,
    net: CLNet,
    *,
    name: str,
    provenance: Mapping[str, Any],
    metrics: Mapping[str, Any],
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a bundle whole or not at all; weights are stored as `dtype` and computed with in float32.

    Raises:
        OutputExists: the folder is there already.
    """
    spec = {
        "format": BUNDLE_FORMAT,
        "name": name,
        "version": VERSION,
        "model": asdict(net.spec),
        "inputs": asdict(net.inputs),
        "provenance": dict(provenance),
    }
    with staged_folder(Path(folder)) as staged:
        write_json(staged / SPEC, spec)
        weights = {key: value.detach().to("cpu", dtype).contiguous() for key, value in net.state_dict().items()}
        save_file(weights, staged / WEIGHTS)
        (staged / WEIGHTS).chmod(0o644)  # safetensors makes it private; a bundle is to be shared
        write_json(staged / "metrics.json", metrics)
        (staged / "README.md").write_text(_model_card(name, net, metrics))


def load_bundle(name: str | Path) -> Bundle:
    """Load and check a bundle.

    Raises:
        BadCheckpoint: not a bundle, damaged, of a newer format, or its weights do not fit its spec exactly.
    """
    info = read_bundle_info(name)
    try:
        net = CLNet(spec_from(CLNetSpec, {**_FORMER, **info.model}, f"{info.folder}/spec.json: model"), info.inputs)
    except BadConfig as error:
        raise BadCheckpoint(str(error)) from error
    _load_weights(net, info.folder / WEIGHTS)
    return Bundle(**vars(info), net=net.eval().requires_grad_(False))


def named_bundle(pretrained: bool | str) -> str | None:
    """The bundle that a run's `pretrained` names as `bundle:PATH`; None where it names something else."""
    kind, _, name = str(pretrained).partition(":")
    return name if kind == "bundle" else None


def start_from(net: CLNet, name: str | Path) -> str:
    """Put the weights of a bundle of the same architecture and input sizes into a network; returns its digest.

    Raises:
        BadCheckpoint: not a bundle, or damaged.
        BadConfig: of another architecture, or for other inputs.
    """
    bundle = load_bundle(name)
    free = ("map_spread", "anchors", "ground_lowered_deg")  # over once weights are there, or no weight's business
    pairs = ((asdict(net.spec), asdict(bundle.net.spec)), (asdict(net.inputs), asdict(bundle.net.inputs)))
    differing = [
        f"{key} {theirs[key]} -> {value}"
        for ours, theirs in pairs
        for key, value in ours.items()
        if key not in free and theirs[key] != value
    ]
    if differing:
        raise BadConfig(
            f"pretrained is the bundle {name}, which has another network ({'; '.join(differing)}); give the run its "
            "model and inputs, or start from random weights"
        )
    net.load_state_dict(bundle.net.state_dict())
    return bundle.digest


@torch.no_grad()
def blend_with(net: CLNet, name: str | Path, share: float) -> None:
    """Move a network's weights by a share of the way to those of a bundle of the same kind.

    Raises:
        BadCheckpoint: not a bundle, or damaged.
        BadConfig: of another architecture, or for other inputs.
    """
    other = copy.deepcopy(net)
    start_from(other, name)
    torch._foreach_lerp_(list(net.parameters()), list(other.parameters()), share)


def _load_weights(net: CLNet, path: Path) -> None:
    weights = read_weights(path, remedy="fetch the bundle again")
    names = {key: key for key in net.state_dict()}
    load_exactly(net, weights, names, source=f"{path} does not fit its spec.json", remedy="fetch the bundle again")


def _model_card(name: str, net: CLNet, metrics: Mapping[str, Any]) -> str:
    millions = sum(value.numel() for value in net.state_dict().values()) / 1e6
    modules = " + ".join(part for part in ("ncm", "nec", "gfr") if getattr(net.spec, part)) or "none (baseline)"
    measured = json.dumps(metrics, indent=2, sort_keys=True)
    return (
        f"# {name}\n\n"
        f"CLNet as read by this project: {net.spec.backbone}, levels {net.spec.levels}, modules {modules}, "
        f"{net.dim} dimensions, {millions:.2f} M parameters.\n\n"
        f"Inputs: tile {net.inputs.satellite_px} px, panorama canvas {net.inputs.ground_width_px} x "
        f"{net.inputs.ground_height_px} px.{_view_of_tiles(net)}\n\n"
        "What it was trained on and how: `spec.json`, under `provenance`. A network trained on the synthetic world has "
        "seen no real picture: of real photos expect no more than what was measured on some.\n\n"
        f"Measured:\n\n```json\n{measured}\n```\n"
    )


def _view_of_tiles(net: CLNet) -> str:
    polar = " Tiles are unrolled around their centres to the size of the canvas." if net.inputs.polar else ""
    anchors = net.inputs.anchors
    return polar + (f" Each is described around {anchors} x {anchors} points." if anchors > 1 else "")


_WRAPPERS = frozenset({"state_dict", "model", "model_state_dict", "net", "network", "weights"})
_NAMED = 3
"""How many keys of a kind an error spells out."""


def read_weights(path: Path, *, remedy: str) -> dict[str, Tensor]:
    """The named tensors of a `.safetensors` file or of a PyTorch checkpoint, on the CPU.

    Nothing stored in a PyTorch checkpoint is executed.

    Args:
        path: the file.
        remedy: what an error tells the user to do.

    Raises:
        BadCheckpoint: no such file, not a checkpoint, or anything else in it than tensors by name.
    """
    try:
        tree = load_file(path) if _is_safetensors(path) else _unwrapped(load_torch_file(path))
    except Exception as error:  # safetensors raises errors of its own
        raise BadCheckpoint(f"{path} cannot be read as weights: {reason_of(error)[:240]}; {remedy}") from error
    if not isinstance(tree, dict):
        raise BadCheckpoint(f"{path} holds a {type(tree).__name__} where tensors by name are wanted; {remedy}")
    strange = [f"{key} ({type(value).__name__})" for key, value in tree.items() if not isinstance(value, Tensor)]
    if strange or not tree:
        raise BadCheckpoint(f"{path} holds no plain list of tensors but {_some(strange) or 'nothing'}; {remedy}")
    return {str(key): value for key, value in tree.items()}


def _is_safetensors(path: Path) -> bool:
    """By the content, too: the file may have another's name."""
    if path.suffix == ".safetensors":
        return True
    require_plain(path)
    with path.open("rb") as file:
        head = file.read(10)
    if head.startswith(b"version ht"):
        raise ValueError("it is a pointer of Git LFS, not the file itself (git lfs pull fetches that)")
    return head[8:] == b'{"'


def _unwrapped(tree: Any) -> Any:
    """The weights where a trainer saved them under one of the usual names, beside what is no weights."""
    while isinstance(tree, dict):
        below = {key: value for key, value in tree.items() if _are_weights(value)}
        if (
            len(below) != 1
            or next(iter(below)) not in _WRAPPERS
            or any(isinstance(one, Tensor) for one in tree.values())
        ):
            break
        tree = next(iter(below.values()))
    return tree


def _are_weights(tree: Any) -> bool:
    return isinstance(tree, dict) and any(isinstance(one, Tensor) or _are_weights(one) for one in tree.values())


def load_exactly(
    net: torch.nn.Module, weights: Mapping[str, Tensor], names: Mapping[str, str], *, source: str, remedy: str
) -> None:
    """Give a network all of its weights and refuse anything else.

    Args:
        net: the network.
        weights: tensors by the names they have in the file.
        names: for every key of the network's own state, its name in the file.
        source: what does not fit what, for the error: `FILE does not fit ITS SPEC`.
        remedy: what an error tells the user to do.

    Raises:
        BadCheckpoint: naming each missing, unknown or misshapen weight (the first three of a kind), or those with
            values that are not finite.
    """
    own = {names[key]: value for key, value in net.state_dict().items()}
    wanted = {name: value.shape for name, value in own.items()}
    common = [name for name in wanted if name in weights]
    faults = {
        "missing": [name for name in wanted if name not in weights],
        "unknown": [name for name in weights if name not in wanted],
        "of another shape": [
            f"{name} {tuple(weights[name].shape)} for {tuple(wanted[name])}"
            for name in common
            if weights[name].shape != wanted[name]
        ],
        "no plain floating-point numbers": [
            name for name in common if own[name].is_floating_point() and not _is_plain(weights[name])
        ],
    }
    if any(faults.values()):
        told = "; ".join(f"{kind}: {_some(keys)}" for kind, keys in faults.items() if keys)
        raise BadCheckpoint(f"{source}: {told}; {remedy}")
    broken = [name for name in common if not bool(torch.isfinite(weights[name]).all())]
    if broken:
        raise BadCheckpoint(f"{source}: values that are not finite in {_some(broken)}; {remedy}")
    net.load_state_dict({key: weights[names[key]].float() for key in net.state_dict()}, strict=True)


def _is_plain(weight: Tensor) -> bool:
    """Whole numbers are those of a quantised network, which mean nothing without their scales."""
    return weight.is_floating_point() and weight.layout == torch.strided and not weight.is_quantized


def _some(keys: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return ", ".join(keys[:_NAMED]) + more
