"""What a checkpoint bundle says of itself, read from its files without torch: name, identity, inputs, provenance.

`spec.json` (architecture, inputs, provenance), `weights.safetensors`, `metrics.json`, `README.md` and, where the bundle
was exported (`model.network.exports`), `ground.onnx`, `satellite.onnx` and `exports.json`. The identity of a bundle is
the SHA-256 over specification, weights and exports.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from model.common.atomic_io import canonical_json, read_json, sha256_bytes, sha256_file
from model.common.errors import BadCheckpoint, BadConfig, reason_of
from model.common.specs import spec_from
from model.inputs.transforms import InputSpec

__all__ = [
    "BUNDLE_FORMAT",
    "EXPORTS",
    "SPEC",
    "WEIGHTS",
    "BundleInfo",
    "StoredTensor",
    "bundle_digest",
    "read_bundle_info",
    "read_exports",
    "read_tensor_table",
    "resolve_bundle",
    "source_digest",
]

BUNDLE_FORMAT = 1
_SPEC_KEYS = {"format", "inputs", "model", "name", "provenance", "version"}
SPEC, WEIGHTS, METRICS, EXPORTS = "spec.json", "weights.safetensors", "metrics.json", "exports.json"
_WORLD_TILE_M = 100.0
"""Side of the synthetic world's tiles, on which a run whose data are `world:` is trained."""
_PACKAGED = Path(__file__).parents[1] / "bundles"
_LONGEST_HEADER = 100 << 20
"""Bytes; safetensors itself accepts no longer one."""


@dataclass(frozen=True)
class BundleInfo:
    """A bundle but for its network.

    Attributes:
        name: what it calls itself.
        digest: SHA-256 over specification, weights and exports, 64 hexadecimal digits.
        inputs: sizes that the pictures must have.
        model: the architecture, as its specification has it.
        provenance: how it was trained.
        metrics: what was measured with it, and on what.
        folder: where it lies.
    """

    name: str
    digest: str
    inputs: InputSpec
    model: Mapping[str, Any]
    provenance: Mapping[str, Any]
    metrics: Mapping[str, Any]
    folder: Path

    @property
    def trained_on(self) -> str | None:
        """The data set it was trained on; None where its provenance does not say."""
        told: Any = self.provenance
        for key in ("trained_on",) if "trained_on" in told else ("run", "data", "train"):
            told = told.get(key) if isinstance(told, Mapping) else None  # others write what they like
        return told if isinstance(told, str) else None

    @property
    def ground_m(self) -> tuple[float, float] | None:
        """Least and greatest side of the ground that its training tiles showed, in metres; None where nobody knows."""
        run: Any = self.provenance.get("run")
        if not isinstance(run, Mapping):
            return None
        data: Any = run.get("data", {})
        sizes = [tuple(data.get("tile_m", (0.0, 0.0)))]
        sizes += [(_WORLD_TILE_M, _WORLD_TILE_M) for key in ("train", "replay") if "world:" in str(data.get(key, ""))]
        known = [size for size in sizes if size[1] > 0]
        if not known:
            return None
        least, greatest = data.get("augment", {}).get("ground", (1.0, 1.0))
        return least * min(low for low, _ in known), greatest * max(high for _, high in known)


class StoredTensor(NamedTuple):
    """A tensor of a `.safetensors` file: its type as that format names it, its shape, and where its bytes lie."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


def resolve_bundle(name: str | Path) -> Path:
    """The folder of a bundle given by path, or by the name of one inside this package.

    Raises:
        BadCheckpoint: neither exists.
    """
    for folder in (Path(name), _PACKAGED / str(name)):
        if str(name) and (folder / SPEC).is_file():
            return folder
    packaged = sorted(path.parent.name for path in _PACKAGED.glob(f"*/{SPEC}"))
    raise BadCheckpoint(
        f"{str(name)!r} is no checkpoint bundle (a folder with spec.json and weights.safetensors); "
        f"packaged ones are: {', '.join(packaged) or 'none'}"
    )


def source_digest(folder: Path) -> str:
    """SHA-256 over specification and weights: what exports are made from.

    Raises:
        BadCheckpoint: a file of the bundle cannot be read.
    """
    specification, weights = canonical_json(_read_json(folder / SPEC)), folder / WEIGHTS
    if not weights.is_file():
        raise BadCheckpoint(f"{weights} is missing; fetch the bundle again")
    return sha256_bytes(canonical_json([specification.decode(), sha256_file(weights)]))


def bundle_digest(name: str | Path) -> str:
    """The identity of a bundle, from its files alone, 64 hexadecimal digits.

    Raises:
        BadCheckpoint: not a bundle, or a file of it cannot be read.
    """
    folder = resolve_bundle(name)
    source, exports = source_digest(folder), read_exports(folder)
    return source if exports is None else sha256_bytes(canonical_json([source, exports["files"]]))


def read_exports(folder: Path) -> dict[str, Any] | None:
    """The content of `exports.json`; None for a bundle that was not exported.

    Raises:
        BadCheckpoint: it cannot be read, or lacks something.
    """
    path = folder / EXPORTS
    if not path.is_file():
        return None
    content = _read_json(path)
    files = content.get("files")
    of_right_type = isinstance(content.get("made_from"), str) and isinstance(content.get("dim"), int)
    if not isinstance(files, dict) or not files or not of_right_type:
        raise BadCheckpoint(f"{path} lacks files, made_from or dim; run `python -m model export` again")
    return content


def read_bundle_info(name: str | Path) -> BundleInfo:
    """Read and check everything of a bundle but its weights.

    Raises:
        BadCheckpoint: not a bundle, damaged, or of a newer format.
    """
    folder = resolve_bundle(name)
    content = _read_json(folder / SPEC)
    if content.get("format") != BUNDLE_FORMAT:
        raise BadCheckpoint(
            f"{folder} has bundle format {content.get('format')!r}; this version reads {BUNDLE_FORMAT}: "
            "update the package"
        )
    if unknown := sorted(set(content) - _SPEC_KEYS):
        raise BadCheckpoint(f"{folder / SPEC}: unknown key {', '.join(unknown)}; update the package, or take it out")
    try:
        inputs = spec_from(InputSpec, content.get("inputs"), f"{folder}/spec.json: inputs")
    except BadConfig as error:
        raise BadCheckpoint(str(error)) from error
    model, metrics = content.get("model"), folder / METRICS
    return BundleInfo(
        name=str(content.get("name", folder.name)),
        digest=bundle_digest(folder),
        inputs=inputs,
        model=model if isinstance(model, dict) else {},
        provenance=content.get("provenance", {}),
        metrics=_read_json(metrics) if metrics.is_file() else {},
        folder=folder,
    )


def read_tensor_table(path: Path) -> dict[str, StoredTensor]:
    """What a `.safetensors` file holds, by name, from its header alone; offsets count from the file's begin.

    Raises:
        BadCheckpoint: it is not such a file.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _LONGEST_HEADER:
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(file.read(length))
        return {
            name: StoredTensor(entry["dtype"], tuple(entry["shape"]), 8 + length + begin, end - begin)
            for name, entry in header.items()
            if name != "__metadata__"
            for begin, end in [entry["data_offsets"]]
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise BadCheckpoint(
            f"{path} cannot be read as safetensors: {reason_of(error)}; fetch the bundle again"
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except (OSError, ValueError) as error:
        raise BadCheckpoint(f"{path} cannot be read: {reason_of(error)}; fetch the bundle again") from error
