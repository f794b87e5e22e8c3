"""Checkpoints that others published, as bundles.

Sample4Geo (arXiv 2303.11851) is one ConvNeXt-Base for both views, its pooled features behind the norm of its head the
descriptor: `CLNet` with every module off. Its five checkpoints differ in the size of the ground picture alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from model.common.atomic_io import refuse_existing, sha256_file
from model.common.errors import BadCheckpoint, BadConfig
from model.inputs.transforms import InputSpec
from model.network.checkpoints import load_exactly, read_weights, save_bundle
from model.network.clnet import CLNet, CLNetSpec
from model.network.pretrained import pretrained_config

__all__ = ["SAMPLE4GEO_BACKBONE", "SAMPLE4GEO_GROUND_PX", "import_sample4geo", "sample4geo_inputs"]

SAMPLE4GEO_BACKBONE = "convnext_base.fb_in22k_ft_in1k_384"
"""What the published checkpoints are; its training data decides the normalisation."""
SAMPLE4GEO_GROUND_PX = {
    "cvusa": (140, 768),
    "cvact": (140, 768),
    "vigor-same": (384, 768),
    "vigor-cross": (384, 768),
    "university": (384, 384),
}
"""(height, width) of the ground picture of each published checkpoint; for University-1652 it is the drone's."""
_WRAPPERS = re.compile(r"(?:(?:module|_orig_mod)\.)*")
"""What DataParallel and torch.compile put before every key, the temperature's too, of a model wrapped as a whole."""
_TEMPERATURE = re.compile(_WRAPPERS.pattern + "logit_scale")
_SATELLITE_PX = 384
_LAST_LEVEL = 3
_REMEDY = "give a checkpoint as Sample4Geo's code saves it, or the --backbone that it was trained with"


def sample4geo_inputs(benchmark: str, backbone: str = SAMPLE4GEO_BACKBONE) -> InputSpec:
    """Sizes and normalisation of a published checkpoint; a panorama's whole height is used, whatever its angle.

    Raises:
        BadConfig: no checkpoint was published for this benchmark, or timm does not know the backbone.
    """
    if benchmark not in SAMPLE4GEO_GROUND_PX:
        raise BadConfig(
            f"Sample4Geo published nothing for {benchmark!r}; choose one of {', '.join(SAMPLE4GEO_GROUND_PX)}"
        )
    height_px, width_px = SAMPLE4GEO_GROUND_PX[benchmark]
    look = pretrained_config(backbone)
    return InputSpec(_SATELLITE_PX, height_px, width_px, None, look.mean, look.std, antialias=False)


def import_sample4geo(
    weights: Path, benchmark: str, out: Path, *, backbone: str = SAMPLE4GEO_BACKBONE, name: str | None = None
) -> None:
    """Turn a checkpoint of Sample4Geo's code into a bundle, to the bit (its weights stay float32).

    Args:
        weights: a PyTorch state dictionary, or the same tensors as `.safetensors`.
        benchmark: a key of `SAMPLE4GEO_GROUND_PX`; the file itself does not tell which it is.
        out: the bundle's folder.
        backbone: the ConvNeXt inside, by timm's name.
        name: what the bundle calls itself; by default `sample4geo-BENCHMARK`.

    Raises:
        BadCheckpoint: not a checkpoint, of another architecture, or with a key missing or too many.
        BadConfig: unknown benchmark or backbone.
        OutputExists: the folder is there already.
    """
    refuse_existing(out)
    inputs = sample4geo_inputs(benchmark, backbone)
    architecture = backbone.partition(".")[0]
    net = CLNet(CLNetSpec(architecture, (_LAST_LEVEL,), dim=0, ncm=False, nec=False, gfr=False), inputs)
    tensors = read_weights(weights, remedy=_REMEDY)
    names = _names_in_file(net, tensors, f"{weights} is no Sample4Geo checkpoint of {architecture}")
    load_exactly(net, tensors, names, source=f"{weights} does not fit Sample4Geo with {architecture}", remedy=_REMEDY)
    provenance = {
        "imported": "sample4geo", "benchmark": benchmark, "backbone": backbone,
        "file": weights.name, "sha256": sha256_file(weights),
    }  # fmt: skip
    name = name or f"sample4geo-{benchmark}"
    save_bundle(out, net, name=name, provenance=provenance, metrics={}, dtype=net.logit_scale.dtype)


def _names_in_file(net: CLNet, stored: Collection[str], source: str) -> dict[str, str]:
    """For each key of the network, its name in the file: the timm model's own behind one prefix, such as `model.`."""
    own = {key: _name_in_timm(key) for key in net.state_dict() if key != "logit_scale"}
    anchor = next(iter(own.values()))
    prefixes = [key.removesuffix(anchor) for key in stored if key == anchor or key.endswith(f".{anchor}")]
    if len(prefixes) != 1:
        found = f"{len(prefixes)} encoders (under {', '.join(sorted(prefixes))})" if prefixes else f"no key {anchor}"
        raise BadCheckpoint(f"{source}: it has {found} where one encoder is wanted; {_REMEDY}")
    return {key: prefixes[0] + name for key, name in own.items()} | {"logit_scale": _temperature(stored, prefixes[0])}


def _temperature(stored: Collection[str], prefix: str) -> str:
    """Name of the temperature in the file: the only one, else the one behind the encoder's wrappers."""
    found = [key for key in stored if _TEMPERATURE.fullmatch(key)]
    if len(found) == 1:
        return found[0]
    wrappers = _WRAPPERS.match(prefix)
    return f"{wrappers[0] if wrappers else ''}logit_scale"


def _name_in_timm(key: str) -> str:
    """`backbones.shared.stem.0.weight` -> `stem.0.weight`; the norm behind the pooling is the one of timm's head."""
    return f"head.{key}" if key.startswith("norm.") else key.removeprefix("backbones.shared.")
