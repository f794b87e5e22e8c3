"""Studies: one budget, schedule and set of seeds, and one thing changed at a time.

    python -m benchmarks.study modules      # CLNet's modules: all off, then each added in turn
    python -m benchmarks.study inputs       # how tiles are seen, and what moves the weights
    python -m benchmarks.study readings --config configs/readings.json  # what else the paper may mean by its modules
    ... --set inputs.polar=false inputs.anchors=1 --name readings-square  # the same with other settings for all

Runs are trained and evaluated by the public commands, one after the other; a second start goes on where it stopped.
Writes `results/NAME.json` and the curves to `results/NAME.png`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS, write_record
from clnet_geolocalization import command as own_command
from model.training.run_log import read_log

_OFF = {"model.ncm": False, "model.nec": False, "model.gfr": False}
_ADAMW = {"optim.optimizer": "adamw", "optim.lr": 0.002}
STUDIES: dict[str, dict[str, dict[str, Any]]] = {
    "modules": {
        "none": _OFF,
        "NCM": {**_OFF, "model.ncm": True},
        "NCM + GFR": {**_OFF, "model.ncm": True, "model.gfr": True},
        "NCM + NEC + GFR": {},
    },
    "inputs": {
        "square tiles, AdamW": {"inputs.polar": False, "inputs.anchors": 1, **_ADAMW},
        "unrolled, AdamW": {"inputs.anchors": 1, **_ADAMW},
        "unrolled, 9 anchors, AdamW": _ADAMW,
        "unrolled, 9 anchors, Muon": {},
    },
    "readings": {
        "none": _OFF,
        "maps that start flat": {"model.map_spread": 0.02},
        "maps that start spread out": {},
        "(1) F' flows on": {"model.flow": True},
        "(2) conditioned on the picture": {"model.conditioned": True},
        "(3) channel gate": {"model.gate": True},
        "(4) bounded converter": {"model.nec_bound": 4.0},
        "(5) no plain mean": {"model.plain_mean": False},
    },
}
"""What each variant changes in the configuration. NEC turns one view's map into the other's; without it each view has a
free map. Without GFR the raw map weighs."""

_METRICS = ("recall@1", "recall@5", "recall@10")


def main() -> None:
    """Train what is not trained, evaluate what is not evaluated, print and record the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--config", type=Path, default=Path("configs/study.json"))
    parser.add_argument("--out", type=Path, default=Path("runs/study"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", type=_setting, nargs="+", default=[], metavar="KEY=VALUE", help="for all variants")
    parser.add_argument("--data", default="world:val", help="to evaluate on, never trained on (default: %(default)s)")
    parser.add_argument("--only", nargs="+", help="some of the study's variants")
    parser.add_argument("--name", help="of the record (default: the study's)")
    args = parser.parse_args()
    name_of_record = args.name or args.study
    if unknown := set(args.only or ()) - set(STUDIES[args.study]):
        parser.error(f"{args.study} has no variant {min(unknown)!r}; it has {', '.join(STUDIES[args.study])}")
    variants = {name: change for name, change in STUDIES[args.study].items() if name in (args.only or [name])}
    runs: dict[str, list[Path]] = {name: [] for name in variants}
    for seed in args.seeds:  # seeds outermost, so that a study cut short compares all variants
        for name, change in variants.items():
            values = {**change, **dict(args.set), "optim.seed": seed}
            folder = args.out / _folder(values)
            _train(args.config, folder, values)
            _evaluate(folder, args.data)
            runs[name].append(folder)
    result = {
        "config": json.loads(args.config.read_text()),
        "settings": dict(args.set),
        "variants": variants,
        "seeds": args.seeds,
        "data": args.data,
        "recall": {n: _summary([_evaluate(f, args.data) for f in folders]) for n, folders in runs.items()},
        "seconds_a_run": {n: [_seconds(f) for f in folders] for n, folders in runs.items()},
    }
    _print(result)
    _plot(runs, RESULTS / f"{name_of_record}.png")
    print(write_record(name_of_record, result))


def _setting(text: str) -> tuple[str, Any]:
    """KEY=VALUE of the command line, the value as JSON."""
    key, _, value = text.partition("=")
    return key, json.loads(value)


def _folder(values: dict[str, Any]) -> str:
    """A name that two studies share where they share a run."""
    return "-".join(f"{key.split('.')[-1]}={json.dumps(value)}" for key, value in values.items()).replace('"', "")


def _train(config: Path, folder: Path, values: dict[str, Any]) -> None:
    if (folder / "bundle").is_dir():
        return
    settings = [f"--set={key}={json.dumps(value)}" for key, value in values.items()]
    command = ["model", "train", "--config", str(config), "--out", str(folder), *settings]
    print("---", *command, flush=True)
    subprocess.run(own_command(*command), check=True)


def _evaluate(folder: Path, data: str) -> dict[str, Any]:
    stored = folder / f"evaluation-{Path(data.removeprefix('world:')).stem}.json"
    if not stored.exists():
        command = [*own_command("model", "evaluate"), "--checkpoint", str(folder / "bundle"), "--data", data]
        stored.write_text(subprocess.run([*command, "--json"], check=True, capture_output=True, text=True).stdout)
    result: dict[str, Any] = json.loads(stored.read_text())
    return result


def _summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and sample standard deviation over the seeds, and the values themselves."""
    table: dict[str, Any] = {}
    for metric in _METRICS:
        values = [result[metric] for result in results]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        table[metric] = {"mean": round(statistics.mean(values), 2), "deviation": round(spread, 2), "values": values}
    return table


def _seconds(folder: Path) -> int:
    return round(sum(float(row["seconds"]) for row in read_log(folder / "log.csv") if row["seconds"]))


def _print(result: dict[str, Any]) -> None:
    print(result["data"])
    for name, metrics in result["recall"].items():
        cells = [f"{m} {metrics[m]['mean']:5.1f} +- {metrics[m]['deviation']:.1f}" for m in _METRICS]
        print(f"  {name:28} {'   '.join(cells)}")


def _plot(runs: dict[str, list[Path]], path: Path) -> None:
    """Validation recall@1 against steps: the mean of the seeds, and the span between them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, folders in runs.items():
        logs = [[row for row in read_log(folder / "log.csv") if row["recall@1"]] for folder in folders]
        steps = [int(row["step"]) for row in logs[0]]
        values = [[float(row["recall@1"]) for row in log] for log in logs]
        each_step = list(zip(*values, strict=True))
        axes.plot(steps, [statistics.mean(at) for at in each_step], marker="o", label=name)
        axes.fill_between(steps, [min(at) for at in each_step], [max(at) for at in each_step], alpha=0.15)
    axes.set(xlabel="step", ylabel="recall@1 on the validation pairs, percent")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
