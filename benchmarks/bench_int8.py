"""What 8-bit integers would bring a bundle's exports, and whether they would pass the gate.

ONNX Runtime's static quantization (QDQ, a scale for each channel) of both graphs, calibrated on some pictures of the
data set: which operators, how near the vectors of other pictures stay, what R@1 becomes when both views are quantized,
and processor time as a share of float32. Writes `results/int8.json`.

    python -m benchmarks.bench_int8 --checkpoint demo --data world:val
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from benchmarks.record import turns, write_record
from model.data.pairs import PairSet
from model.data.pictures import loads_of, view_batches
from model.data.sources import DEFAULT_CACHE, open_pairs
from model.evaluation.evaluator import DualEncoder, evaluate
from model.evaluation.parity import LEAST_COSINE
from model.inputs.specs import View
from model.inputs.transforms import InputSpec
from model.network.bundle_files import read_bundle_info
from model.network.exports import require_exports

_VARIANTS = {"all": ["Conv", "MatMul", "Gemm"], "convolutions": ["Conv"], "products": ["MatMul", "Gemm"]}
_CALIBRATION, _COMPARED, _BATCH = 96, 200, 8
_Pixels = NDArray[np.uint8]
_Encode = Callable[[_Pixels], NDArray[np.float32]]


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Batches of calibration pictures, as the quantizer asks for them."""

    def __init__(self, pixels: _Pixels) -> None:
        self._left: Iterator[dict[str, _Pixels]] = iter(
            [{"pixels": pixels[begin : begin + _BATCH]} for begin in range(0, len(pixels), _BATCH)]
        )

    def get_next(self) -> dict[str, _Pixels] | None:
        """The next batch; None at the end."""
        return next(self._left, None)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--checkpoint", default="demo", help="a bundle that was exported")
    parser.add_argument("--data", default="world:val", help="pictures to calibrate with, compare, and measure on")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="folder for rendered splits")
    args = parser.parse_args(argv)
    pairs = open_pairs(args.data, cache=args.cache)
    result = _measure(args.checkpoint, pairs)
    for name, one in result.items():
        print(name, one)
    print(write_record("int8", {"checkpoint": args.checkpoint, "data": args.data, "variants": result}))
    return 0


def _measure(checkpoint: str, pairs: PairSet) -> dict[str, dict[str, Any]]:
    info = read_bundle_info(checkpoint)
    exports, inputs = require_exports(info), replace(info.inputs, anchors=1)
    views: tuple[View, View] = ("ground", "satellite")
    pictures = {view: _pictures(pairs, view, inputs) for view in views}
    floats: dict[View, _Encode] = {view: _encode(exports.paths[view]) for view in views}
    alone = DualEncoder(floats["ground"], floats["satellite"], inputs, exports.dim)
    result: dict[str, dict[str, Any]] = {"float32": {"recall@1": evaluate(alone, pairs).recall["recall@1"]}}
    with tempfile.TemporaryDirectory() as scratch:
        for name, operators in _VARIANTS.items():
            paths = {view: Path(scratch) / f"{name}-{view}.onnx" for view in views}
            for view, path in paths.items():
                _quantize(exports.paths[view], path, pictures[view][:_CALIBRATION], operators)
            coarse: dict[View, _Encode] = {view: _encode(path) for view, path in paths.items()}
            result[name] = _compared(floats, coarse, pictures)
            both = DualEncoder(coarse["ground"], coarse["satellite"], inputs, exports.dim)
            result[name]["recall@1"] = evaluate(both, pairs).recall["recall@1"]
            result[name]["megabytes"] = round(paths["ground"].stat().st_size / 1e6, 1)
    return result


def _pictures(pairs: PairSet, view: View, inputs: InputSpec) -> _Pixels:
    """Those to calibrate with, and behind them those to compare."""
    items: Sequence[Any] = pairs.queries if view == "ground" else pairs.references
    load: Callable[..., _Pixels] = loads_of(pairs)[0 if view == "ground" else 1]
    some = items[: _CALIBRATION + _COMPARED]
    return np.concatenate(list(view_batches(some, load, inputs, batch=_BATCH, workers=0)))


def _quantize(graph: Path, out: Path, pixels: _Pixels, operators: list[str]) -> None:
    whole = out.with_suffix(".float")
    onnx.save_model(onnx.load(graph), whole)
    quant_pre_process(whole, out.with_suffix(".ready"), skip_symbolic_shape=True)
    quantize_static(
        out.with_suffix(".ready"),
        out,
        _Reader(pixels),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        weight_type=QuantType.QInt8,
        activation_type=QuantType.QUInt8,
        op_types_to_quantize=operators,
    )


def _encode(path: Path) -> _Encode:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def encode(pixels: _Pixels) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = session.run(None, {"pixels": pixels})[0]
        return vectors

    return encode


def _compared(
    floats: dict[View, _Encode], coarse: dict[View, _Encode], pictures: dict[View, _Pixels]
) -> dict[str, Any]:
    """Cosines of pictures that were not calibrated with, and processor time as a share of float32."""
    cosines = np.concatenate(
        [
            (floats[view](rest) * coarse[view](rest)).sum(axis=1)
            for view in floats
            for rest in [pictures[view][_CALIBRATION:]]
        ]
    )
    shares = {}
    for batch in (1, 16):
        pixels = pictures["ground"][:batch]
        variants = {"float": partial(_often, floats, pixels), "coarse": partial(_often, coarse, pixels)}
        seconds = turns(variants, 5, clock=time.process_time)
        shares[str(batch)] = round(statistics.median(seconds["coarse"]) / statistics.median(seconds["float"]), 2)
    least = float(cosines.min())
    return {
        "least_cosine": round(least, 5),
        "median_cosine": round(float(np.median(cosines)), 5),
        "passes": least >= LEAST_COSINE,
        "share_of_float32": shares,
    }


def _often(encoders: dict[View, _Encode], pixels: _Pixels) -> None:
    for _ in range(16 // len(pixels)):
        encoders["ground"](pixels)


if __name__ == "__main__":
    sys.exit(main())
