"""Export a bundle, compare what was exported with torch, and keep it only where it passes."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from model._version import VERSION
from model.common.atomic_io import sha256_file, write_json
from model.data.pairs import PairSet
from model.evaluation.parity import Parity, measure_parity
from model.network.bundle_files import EXPORTS, SPEC, WEIGHTS, read_bundle_info, resolve_bundle, source_digest
from model.network.checkpoints import load_bundle
from model.network.encoder import Encoder
from model.network.engines.onnx_engine import OnnxEngine
from model.network.export import write_graph
from model.network.exports import EXPORT_FILES

__all__ = ["export_bundle"]

_CHECKED_ANCHORS = 1
"""Along each axis; another anchor is another picture to the same network."""


def export_bundle(name: str | Path, pairs: PairSet) -> Parity:
    """Write the exports of a bundle into its folder, in place of former ones.

    They are made and measured beside it, so that a bundle that is in use changes in one moment, or not at all.

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
            "files": {file: sha256_file(staged / file) for file in EXPORT_FILES.values()},
            "made_by": {"version": VERSION, "torch": str(torch.__version__)},
        }
        write_json(staged / EXPORTS, content)
        parity = _measure(staged, pairs)
        parity.require()
        write_json(staged / EXPORTS, content | {"parity": parity.as_json()})
        for file in (*EXPORT_FILES.values(), EXPORTS):
            (staged / file).replace(folder / file)
    return parity


def _measure(folder: Path, pairs: PairSet) -> Parity:
    info = read_bundle_info(folder)
    reference = Encoder.load(folder, engine="torch", device="cpu", precision="float32", anchors=_CHECKED_ANCHORS)
    exported = Encoder(info, OnnxEngine(info), anchors=_CHECKED_ANCHORS)
    return measure_parity(reference, exported, pairs)
