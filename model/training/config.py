"""Configurations: frozen dataclasses read from JSON, an unknown key or a wrong type being an error."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from model.common.atomic_io import read_json
from model.common.devices import PRECISIONS
from model.common.errors import BadConfig
from model.data.augment import AugmentSpec
from model.data.samplers import SamplerSpec
from model.inputs.transforms import InputSpec
from model.network.clnet import CLNetSpec

__all__ = ["DataSpec", "OptimSpec", "RunSpec", "load_run", "spec_from"]

T = TypeVar("T")


@dataclass(frozen=True)
class DataSpec:
    """What is trained on.

    Attributes:
        train: pairs to learn from: `world:SPLIT`, `BENCHMARK:SPLIT?root=DIR`, or the path of a CSV or Parquet manifest.
        val: pairs to watch; never the ones a result is reported on.
        augment: how pairs are changed, drawn anew each time one is shown.
        sampler: which pairs stand together in a batch.
        workers: processes that decode and augment pictures.
        cache: decode all pictures once, before the first step, into memory maps in `decoded` beside the run folder.
    """

    train: str = "world:train"
    val: str = "world:val"
    augment: AugmentSpec = field(default_factory=AugmentSpec)
    sampler: SamplerSpec = field(default_factory=SamplerSpec)
    workers: int = 1
    cache: bool = False

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise BadConfig(f"data.workers is {self.workers}; give 0 or more")


@dataclass(frozen=True)
class OptimSpec:
    """How it is trained: linear warm-up, cosine decay to zero.

    Attributes:
        steps: optimizer steps in all.
        batch: pairs in a step; each has batch - 1 negatives each way.
        optimizer: adamw; or muon, which orthogonalises the steps of the layers' matrices and leaves the rest to AdamW.
        lr: peak learning rate.
        warmup_steps: steps of linear rise.
        weight_decay: on weight matrices and kernels; not on norms, biases, maps or the temperature.
        decay_everything: weight decay on norms, biases, maps and the temperature, too.
        label_smoothing: of the InfoNCE targets.
        bounded_temperature: keep the temperature at 0.01 or more.
        semi_positives: spare keeps tiles that cover another's query too out of its batch; soft allows them, and counts
            them as partly right.
        semi_positive_weight: how right they are where they are soft; 1 is as right as the query's own tile, 0 makes
            them negatives like all others.
        clip_norm: gradient norm limit; 0 for none.
        clip_value: limit of each gradient's absolute value; 0 for none.
        chunk: pictures of a view embedded at once with a graph, then again for the backward pass, so that memory does
            not grow with the batch; 0 for the whole batch, once.
        checkpointing: keep few activations of the backbone, and compute the others again in the backward pass.
        compile: compile the network's training pass with `torch.compile`.
        seed: of initial weights, order and augmentation.
        precision: auto (bfloat16 where the processor computes in it), bfloat16, float32; or float16, for which the loss
            is scaled so that small gradients do not vanish, and steps whose gradients overflow are passed over.
        ema: decay of the running average of the weights, which is what is evaluated and published; 0 for none. While
            the run is young it is less: (1 + step) / (10 + step).
        keep_best: publish the weights with the best R@1 on the validation pairs instead of the last ones. Where those
            pairs are the ones a result is reported on, the result is flattered.
        eval_every: steps between evaluations on the validation pairs.
        save_every: steps between resumable states.
    """

    steps: int = 1000
    batch: int = 96
    optimizer: Literal["adamw", "muon"] = "adamw"
    lr: float = 1e-3
    warmup_steps: int = 100
    weight_decay: float = 0.05
    decay_everything: bool = False
    label_smoothing: float = 0.1
    bounded_temperature: bool = True
    semi_positives: Literal["spare", "soft"] = "spare"
    semi_positive_weight: float = 0.3
    clip_norm: float = 1.0
    clip_value: float = 0.0
    chunk: int = 0
    checkpointing: bool = False
    compile: bool = False
    seed: int = 0
    precision: str = "auto"
    ema: float = 0.0
    keep_best: bool = False
    eval_every: int = 250
    save_every: int = 100

    def __post_init__(self) -> None:
        for name in ("steps", "eval_every", "save_every"):
            if getattr(self, name) < 1:
                raise BadConfig(f"optim.{name} is {getattr(self, name)}; give at least 1")
        if self.chunk < 0:
            raise BadConfig(
                f"optim.chunk is {self.chunk}; give how many pictures fit into memory at once, or 0 for all"
            )
        if self.batch < 2:
            raise BadConfig(f"optim.batch is {self.batch}; InfoNCE needs at least 2 pairs to tell apart")
        if not 0 <= self.ema < 1:
            raise BadConfig(f"optim.ema is {self.ema}; give a decay in [0, 1), for example 0.999, or 0 for none")
        if not 0 <= self.semi_positive_weight <= 1:
            raise BadConfig(f"optim.semi_positive_weight is {self.semi_positive_weight}; give a number in [0, 1]")
        if self.clip_value < 0:
            raise BadConfig(f"optim.clip_value is {self.clip_value}; give a limit above 0, or 0 for none")
        if not self.lr > 0:
            raise BadConfig(f"optim.lr is {self.lr}; give a number above 0")
        if self.precision not in PRECISIONS:
            raise BadConfig(f"optim.precision is {self.precision!r}; choose {', '.join(PRECISIONS)}")


@dataclass(frozen=True)
class RunSpec:
    """One training run, whole: saved as `run.json` beside what it made.

    Attributes:
        name: of the bundle that comes out.
        model: the architecture.
        inputs: sizes and normalisation.
        data: what is trained on.
        optim: how.
        pretrained: false for random weights; `timm` for those that timm publishes for the backbone, from its local
            cache or the network; `timm:NAME` for another tag's; `file:PATH` for a file of the same layout.
    """

    name: str = "clnet"
    model: CLNetSpec = field(default_factory=CLNetSpec)
    inputs: InputSpec = field(default_factory=InputSpec)
    data: DataSpec = field(default_factory=DataSpec)
    optim: OptimSpec = field(default_factory=OptimSpec)
    pretrained: bool | str = False

    def __post_init__(self) -> None:
        if self.pretrained is True:
            raise BadConfig('pretrained is true; say from where: "timm", "timm:NAME", "file:PATH", or false')


def load_run(path: Path | None, overrides: Sequence[str] = ()) -> RunSpec:
    """Read a run's JSON file (absent keys take their defaults) and apply `section.key=value` overrides.

    Raises:
        BadConfig: no such file, not JSON, an unknown key, a wrong type or an impossible value.
    """
    tree = _read_json(path) if path else {}
    for override in overrides:
        _override(tree, override)
    return spec_from(RunSpec, tree, str(path or "the configuration"))


def spec_from(cls: type[T], tree: Any, where: str) -> T:
    """Build a (nested) dataclass from parsed JSON.

    Raises:
        BadConfig: naming each key that is unknown, and each value of a wrong type.
    """
    from pydantic import TypeAdapter, ValidationError

    _refuse_unknown(cls, tree, where)
    try:
        return TypeAdapter(cls).validate_python(tree)
    except ValidationError as error:
        raise BadConfig(f"{where}: {'; '.join(_fault(one) for one in error.errors())}") from error


def _fault(error: Mapping[str, Any]) -> str:
    """Where it is, what is wrong, and the value seen; a whole section is not spelled out."""
    parts = [".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")]
    seen = "" if isinstance(error["input"], dict) else f", not {error['input']!r}"
    return ": ".join(part for part in parts if part) + seen


def _refuse_unknown(cls: type[Any], tree: Any, where: str) -> None:
    from dataclasses import fields, is_dataclass
    from typing import get_type_hints

    if not isinstance(tree, dict):
        raise BadConfig(f"{where} holds {tree!r} where an object with named keys is wanted")
    hints = get_type_hints(cls)
    known = [one.name for one in fields(cls)]
    unknown = sorted(set(tree) - set(known))
    if unknown:
        raise BadConfig(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(known)}")
    for name, value in tree.items():
        if is_dataclass(hints[name]):
            _refuse_unknown(hints[name], value, f"{where}: {name}")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except FileNotFoundError:
        raise BadConfig(f"there is no configuration {path}; see configs/ for examples") from None
    except ValueError as error:
        raise BadConfig(f"{path} is not JSON that can be a run: {error}; see configs/ for examples") from error


def _override(tree: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise BadConfig(f"--set {override!r} has no value; write it as section.key=value, for example optim.lr=0.0005")
    *sections, last = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise BadConfig(f"--set {override!r}: {section} is a value, not a section")
    try:
        tree[last] = json.loads(text)
    except ValueError:
        tree[last] = text  # a bare word is a string
