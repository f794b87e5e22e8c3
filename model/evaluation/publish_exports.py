"""Export a bundle, compare what was exported with torch, and keep it only where it passes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from model._version import VERSION
from model.common.atomic_io import sha256_file, write_json
from model.common.errors import BadCheckpoint, BadConfig
from model.data.pairs import PairSet
from model.evaluation.parity import Parity, SweepParity, measure_parity, measure_sweep
from model.network.bundle_files import EXPORTS, SPEC, WEIGHTS, read_bundle_info, resolve_bundle, source_digest
from model.network.checkpoints import load_bundle
from model.network.clnet import CLNet
from model.network.encoder import Encoder
from model.network.engines.onnx_engine import OnnxEngine
from model.network.export import write_graph
from model.network.exports import EXPORT_FILES, SWEEP_FILE

__all__ = ["Published", "export_bundle"]

_CHECKED_ANCHORS = 1
"""Along each axis; another anchor is another picture to the same network."""


@dataclass(frozen=True)
class Published:
    """What exporting a bundle came to.

    Attributes:
        parity: how near the exports come to torch.
        sweep: what all headings at once find; None where the network cannot compute them so.
    """

    parity: Parity
    sweep: SweepParity | None


def export_bundle(name: str | Path, pairs: PairSet) -> Published:
    """Write the exports of a bundle into its folder, in place of former ones.

    The graph of all headings at once is kept only where a search over headings finds as much by it. All are made and
    measured beside the bundle, so that one that is in use changes in one moment, or not at all.

    Args:
        name: the bundle's folder, or the name of a packaged one.
        pairs: what the gate measures on.

    Raises:
        BadCheckpoint: not a bundle, damaged, or its network cannot be exported.
        BadExport: the gate does not let them pass; the bundle is left as it was.
        MissingExtra: the exporter is not installed.
    """
    folder = resolve_bundle(name)
    with TemporaryDirectory(prefix=f".{folder.name}.export-", dir=folder.parent) as scratch:
        staged = Path(scratch)
        for file in (SPEC, WEIGHTS):
            shutil.copy2(folder / file, staged / file)
        net = load_bundle(staged).net
        for view, file in EXPORT_FILES.items():
            write_graph(net, view, staged, staged / file)
        content = {
            "made_from": source_digest(staged),
            "dim": net.dim,
            "made_by": {"version": VERSION, "torch": str(torch.__version__)},
        }
        parity = _measure(_listed(staged, content, EXPORT_FILES.values()), pairs)
        parity.require()
        sweep = _sweep(staged, content, net, pairs)
        files = [*EXPORT_FILES.values(), *([SWEEP_FILE] if sweep is not None and sweep.passes else [])]
        told = {"parity": parity.as_json(), "sweep": None if sweep is None else sweep.as_json()}
        _listed(staged, content | told, files)
        for file in (*files, EXPORTS):
            (staged / file).replace(folder / file)
        if SWEEP_FILE not in files:
            (folder / SWEEP_FILE).unlink(missing_ok=True)
    return Published(parity, sweep)


def _listed(folder: Path, content: dict[str, Any], files: Iterable[str]) -> Path:
    """The folder, its exports listed with their digests."""
    write_json(folder / EXPORTS, content | {"files": {file: sha256_file(folder / file) for file in files}})
    return folder


def _sweep(folder: Path, content: dict[str, Any], net: CLNet, pairs: PairSet) -> SweepParity | None:
    if pairs.query_view != "ground":
        return None
    try:
        write_graph(net, "headings", folder, folder / SWEEP_FILE)
    except (BadConfig, BadCheckpoint):  # most networks' features cannot be turned
        return None
    _listed(folder, content, [*EXPORT_FILES.values(), SWEEP_FILE])
    info = read_bundle_info(folder)
    return measure_sweep(Encoder(info, OnnxEngine(info)), pairs)


def _measure(folder: Path, pairs: PairSet) -> Parity:
    info = read_bundle_info(folder)
    reference = Encoder.load(folder, engine="torch", device="cpu", precision="float32", anchors=_CHECKED_ANCHORS)
    exported = Encoder(info, OnnxEngine(info), anchors=_CHECKED_ANCHORS)
    return measure_parity(reference, exported, pairs)
