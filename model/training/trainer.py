"""The trainer: one loop for every data set and architecture, resumable at any step to the bit on a CPU.

A run folder holds `run.json` (the configuration), `data.json` (digests of the data sets), `log.csv` (and TensorBoard
events where that is installed), the newest resumable state, and at the end the checkpoint `bundle/` and `curves.png`.
"""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from itertools import tee
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.common.devices import pick_device, pick_half
from model.common.errors import BadConfig
from model.common.progress import progress
from model.data.augment import wide_inputs
from model.data.fingerprint import pairs_digest
from model.data.hard_negatives import nearest_places
from model.data.image_cache import ensure_decoded
from model.data.joined import join_pairs
from model.data.loaders import plain_errors, training_loader
from model.data.pairs import PairSet
from model.data.pictures import PictureFiles, Pictures
from model.data.replay import join_draws
from model.data.samplers import Order, epoch_batches
from model.evaluation.evaluator import DualEncoder, Encode, evaluate
from model.evaluation.results import Evaluation
from model.inputs.specs import VIEWS, View
from model.network.backbones import save_memory
from model.network.checkpoints import blend_with, named_bundle, save_bundle, start_from
from model.network.clnet import CLNet
from model.network.forward import encode_batch, encode_view
from model.network.pretrained import find_pretrained
from model.training.changed_pairs import changed_pairs
from model.training.checkpoint import (
    best_step,
    forget_best,
    keep_best,
    load_best,
    load_order,
    load_scaler,
    load_state,
    newest_state,
    save_state,
)
from model.training.config import RunSpec
from model.training.depthwise import quicken_depthwise
from model.training.distributed import ALONE, Processes
from model.training.ema import average_decay, update_average
from model.training.freezing import freeze_levels, hold_norms, refuse_shared_statistics
from model.training.grad_cache import find_gradients, refuse_batch_statistics
from model.training.loss import soft_targets, symmetric_info_nce
from model.training.mining import mine_similar
from model.training.optim import create_optimizers, learning_rate, set_learning_rate
from model.training.precision import create_scaler, move
from model.training.requirements import require_fit
from model.training.run_folder import claim, with_defaults
from model.training.run_log import RunLog

__all__ = ["Trainer", "train"]

_DECODERS = 2
"""Processes that decode pictures before the first step, where they are kept; at least this many."""


_log = logging.getLogger(__name__)


def train(
    run: RunSpec,
    pairs: PairSet,
    val: PairSet,
    out: Path | str,
    *,
    replay: PairSet | None = None,
    device: str = "auto",
    processes: Processes = ALONE,
) -> Path:
    """Train to the end, from the newest state in `out` if there is one; returns the bundle's folder.

    Every one of several processes calls this with the same arguments but its `device`; the first one writes.

    Args:
        run: the configuration; what it names as data is what is passed here.
        pairs: to learn from.
        val: to watch.
        out: folder of the run.
        replay: pairs that take `data.replay_share` of each batch; None where `data.replay` names none.
        device: where to train.
        processes: those that share the work.

    Raises:
        BadConfig: `out` belongs to another configuration, or to other data; or the processes cannot share a batch.
        BadDataset: fewer different tiles than one batch, which holds each tile once; or tiles that ask for pictures.
    """
    require_fit(run, pairs, processes, run.optim.batch - run.data.replayed(run.optim.batch))
    if replay is not None:
        require_fit(run, replay, processes, run.data.replayed(run.optim.batch))
    out = Path(out)
    state = newest_state(out)
    with processes.first_alone():  # pretrained weights may have to be fetched
        trainer = Trainer(run, device=pick_device(device), resumes=state is not None, processes=processes)
    with processes.first_alone():
        claim(out, "run.json", asdict(run), "another configuration", "the old one", complete=with_defaults)
        data = {
            name: {"pairs": len(part.queries), "sha256": pairs_digest(part)}
            for name, part in (("train", pairs), ("val", val), ("replay", replay))
            if part is not None
        }
        claim(out, "data.json", data, "other data", "the old pairs")
    if state:
        trainer.step = load_state(state, trainer.net, trainer.optimizers, trainer.average)
        trainer.order = load_order(state)
        load_scaler(state, trainer.scaler)
        _log.info("resuming at step %d", trainer.step)
    elif processes.is_first:
        forget_best(out)
    bundle = out / "bundle"
    if not processes.is_first:
        trainer.fit(pairs, val, out, None, replay=replay)
        return bundle
    with RunLog(out, resume_at=trainer.step) as log:
        result = trainer.fit(pairs, val, out, log, replay=replay)
        log.plot(out / "curves.png", title=run.name)
    if not bundle.exists():
        if run.optim.keep_best:
            trainer.step, result = load_best(out, trainer.best), None
        if run.optim.blend and (first := named_bundle(run.pretrained)) is not None:
            blend_with(trainer.best, first, run.optim.blend)
            result = None
        _publish(trainer, result or trainer.evaluate(val), bundle, seconds=log.seconds)
    return bundle


class Trainer:
    """A network, its optimizers and the step they have reached."""

    def __init__(
        self, run: RunSpec, *, device: torch.device, resumes: bool = False, processes: Processes = ALONE
    ) -> None:
        """Initial weights depend on the seed, and on the pretrained ones where the run asks for them and is new."""
        source, whole = ("", None) if resumes else (str(run.pretrained or ""), named_bundle(run.pretrained))
        pretrained = find_pretrained(source, run.model.backbone) if source and whole is None else None
        torch.manual_seed(run.optim.seed)
        self.run, self.device, self.processes, self.step = run, device, processes, 0
        self.order: Order | None = None
        net = CLNet(run.model, run.inputs, pretrained=pretrained)
        if whole is not None:
            _log.info("starting from the bundle %s, digest %s", whole, start_from(net, whole))
        self.net: CLNet = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        refuse_shared_statistics(self.net, run.optim)
        freeze_levels(self.net, run.optim.frozen_levels)
        self.optimizers = create_optimizers(self.net, run.optim)
        self.average = copy.deepcopy(self.net).requires_grad_(False) if run.optim.ema else None
        self.half = pick_half(device, run.optim.precision)
        self.scaler = create_scaler(device, self.half)
        if run.optim.checkpointing:  # not in the average, which has no backward pass
            for backbone in self.net.backbones.values():
                save_memory(backbone, run.model.backbone)
        if device.type == "cpu" and self.half is torch.bfloat16:  # not in the average, either
            quicken_depthwise(self.net)
        # A function is compiled, not the module: the names of its weights stay.
        self._forward: Callable[..., Tensor] = torch.compile(self.net.forward) if run.optim.compile else self.net
        if (processes.count > 1 or run.optim.chunk) and not run.optim.frozen_norms:
            refuse_batch_statistics(self.net)
        if processes.count > 1:
            torch.manual_seed(run.optim.seed + processes.rank)  # dropout, if there is any, differs between the slices

    @property
    def best(self) -> CLNet:
        """The network to evaluate and publish: the average where there is one."""
        return self.net if self.average is None else self.average

    def fit(
        self, pairs: PairSet, val: PairSet, out: Path, log: RunLog | None, *, replay: PairSet | None = None
    ) -> Evaluation | None:
        """Run the remaining steps; returns the last evaluation, None where no step remained.

        Only the process with a log evaluates, and saves states.
        """
        optim, result = self.run.optim, None
        if self.step >= optim.steps or self._gave_up(out):  # before any picture is decoded
            return None
        if self.step == 0 and optim.patience and log is not None:
            self._watch(val, out, log)
        noted = began = time.monotonic()
        hidden = log is None
        label = f"training {self.run.name}"
        with progress(optim.steps, label, unit="steps", done=self.step, quiet=hidden, keep=True) as bar:
            for ground, satellite, targets in self.batches(pairs, out.parent / "decoded", replay):
                loss = self.advance(ground, satellite, targets)
                if log is None:
                    continue
                bar.set_postfix_str(f"loss={loss:.3f}")
                bar.update()
                now = time.monotonic()
                log.step(
                    self.step,
                    loss=loss,
                    lr=learning_rate(self.step - 1, optim),
                    seconds=now - noted,
                    pairs_per_s=optim.batch / (now - began),
                )
                noted = now
                if self.step % optim.eval_every == 0 or self.step == optim.steps:
                    result = self._watch(val, out, log)
                over = self.step == optim.steps or self._gave_up(out)
                if self._has_moved and (self.step % optim.save_every == 0 or over):
                    save_state(out, self.step, self.net, self.optimizers, self.average, self.order, scaler=self.scaler)
                if over:
                    break
                began = time.monotonic()
        return result

    def _watch(self, val: PairSet, out: Path, log: RunLog) -> Evaluation:
        """Evaluate, note it, and keep the weights if they are the best."""
        result = self.evaluate(val)
        log.recall(self.step, result.recall)
        if self.run.optim.keep_best:
            keep_best(out, self.best, step=self.step, recall=result.recall["recall@1"])
        return result

    def _gave_up(self, out: Path) -> bool:
        """Whether the run ends early; that follows from step and kept weights alone, so a resumed run agrees."""
        optim = self.run.optim
        if not optim.patience or self.step == 0 or self.step % optim.eval_every:
            return False
        return self.step - best_step(out) >= optim.patience * optim.eval_every

    def advance(self, ground: Tensor, satellite: Tensor, targets: Tensor | None = None) -> float:
        """One optimizer step on a batch of uint8 pictures [b, H, W, 3], or this process's slice; returns its loss.

        Each ground view may be followed by turned copies, which no tile matches: [b * (1 + turned), H, W, 3].
        The targets, where not each query's own tile alone is right, are those of the whole batch.
        """
        optim = self.run.optim
        self.net.train()
        if optim.frozen_norms:
            hold_norms(self.net)
        set_learning_rate(self.optimizers, learning_rate(self.step, optim))
        loss = partial(
            symmetric_info_nce,
            logit_scale=self.net.logit_scale,
            label_smoothing=optim.label_smoothing,
            bounded=optim.bounded_temperature,
            targets=None if targets is None else targets.to(self.device),
        )
        value = find_gradients(
            self.net,
            self._embed,
            loss,
            ground,
            satellite,
            chunk=optim.chunk,
            processes=self.processes,
            scaled=self.scaler.scale,
        )
        if not math.isfinite(value):  # before the step, so that no state with broken weights is ever saved
            raise BadConfig(
                f"the loss is {value} at step {self.step}; lower optim.lr ({optim.lr}) and start in another folder"
            )
        move(self.net, self.optimizers, self.scaler, optim, step=self.step)
        if self.average is not None:
            update_average(self.average, self.net, average_decay(self.step, optim))
        self.step += 1
        return value

    @property
    def _has_moved(self) -> bool:
        """Whether there is anything to save: while all steps were passed over, starting again comes to the same."""
        return all(optimizer.state for optimizer in self.optimizers)

    def evaluate(self, val: PairSet) -> Evaluation:
        """Recall of the present weights, or of their average."""
        net = self.best
        return evaluate(DualEncoder(self._encoder("ground"), self._encoder("satellite"), net.inputs, net.dim), val)

    def _encoder(self, view: View, *, anchors: int | None = None) -> Encode:
        """The present best network as a function of pictures."""
        net = self.best.eval()
        inputs = net.inputs if anchors is None else replace(net.inputs, anchors=anchors)
        return partial(encode_view, net, inputs=inputs, view=view, half=self.half)

    def _embed(self, pixels: Tensor, view: View) -> Tensor:
        moved = pixels.to(self.device, non_blocking=True)  # which is waited for where it is not pinned
        return encode_batch(self._forward, moved, self.net.inputs, view, half=self.half)

    def batches(
        self, pairs: PairSet, cache: Path, replay: PairSet | None = None
    ) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """The batches of the remaining steps: ground and satellite uint8 [b, H, W, 3], and targets where they are soft.

        Args:
            pairs: the training pairs.
            cache: folder for decoded pictures.
            replay: further pairs, a share of each batch; None for none.
        """
        run = self.run
        sets = [one for one in (pairs, replay) if one is not None]
        whole = pairs if replay is None else join_pairs(sets)
        pictures = [self._pictures(one, cache) for one in sets]
        dataset, changed = changed_pairs(run, sets, pictures, whole.positives, self.device)
        self.order = self.order or self._next_order(pairs, pictures[0])
        soft = run.optim.semi_positives == "soft"
        while True:
            # The loader asks for batches ahead of time, and gives them in the same order.
            draws, asked = tee(self._draws(pairs, replay, self.order))
            slices = map(self.processes.own_slice, draws)
            loader = training_loader(dataset, slices, workers=run.data.workers, pinned=self.device.type == "cuda")
            for batch in plain_errors(loader):
                ground, satellite = changed(*batch)
                rows = [draw % len(whole.queries) for draw in next(asked)]
                yield ground, satellite, soft_targets(whole, rows, run.optim.semi_positive_weight) if soft else None
            if self.step >= run.optim.steps:
                return
            self.order = self._next_order(pairs, pictures[0])

    def _pictures(self, pairs: PairSet, cache: Path) -> Pictures:
        """A data set's pictures for training, decoded now or when they are asked for."""
        run = self.run
        wide = wide_inputs(run.inputs, run.data.augment)
        if not run.data.cache:
            return PictureFiles(pairs, wide)
        with self.processes.first_alone():
            return ensure_decoded(pairs, wide, cache, workers=max(_DECODERS, run.data.workers))

    def _draws(self, pairs: PairSet, replay: PairSet | None, order: Order) -> Iterator[list[int]]:
        """Batches from the present step on, as long as the order lasts."""
        run, soft = self.run, self.run.optim.semi_positives == "soft"
        spare = [replace(one, semi_positives=()) if soft else one for one in (pairs, replay) if one is not None]
        replayed = run.data.replayed(run.optim.batch)
        draws = epoch_batches(
            spare[0],
            order,
            batch=run.optim.batch - replayed,
            last=run.optim.steps,
            seed=run.optim.seed,
            first=self.step,
            neighbours=run.data.sampler.neighbours,
            drawn=run.data.sampler.drawn,
        )
        if replay is None:
            return draws
        again = epoch_batches(
            spare[1], Order(), batch=replayed, last=run.optim.steps, seed=run.optim.seed + 1, first=self.step
        )
        return join_draws(draws, again, len(pairs.queries), len(replay.queries))

    def _next_order(self, pairs: PairSet, pictures: Pictures) -> Order:
        """What follows when the epochs of the present order are over."""
        spec = self.run.data.sampler
        epoch = self.order.epoch + (self.order.epochs or 0) if self.order else 0
        if spec.kind == "random":
            return Order(epoch, self.step)
        if epoch < spec.first_epoch:
            table = nearest_places(pairs, spec.candidates) if spec.kind == "both" else None
            return Order(epoch, self.step, spec.first_epoch - epoch, table)
        if spec.kind == "geographic":
            return Order(epoch, self.step, None, nearest_places(pairs, spec.candidates))
        return Order(epoch, self.step, spec.every_epochs, self._similar(pairs, pictures, spec.candidates))

    def _similar(self, pairs: PairSet, pictures: Pictures, count: int) -> NDArray[np.int32]:
        """The pairs whose tiles the best network finds most like each query; the first process seeks them for all."""
        if self.processes.is_first:
            encode = {view: self._encoder(view, anchors=1) for view in VIEWS}  # a tile is cropped around its camera
            found = mine_similar(encode, pairs, pictures, self.run.inputs, self.net.dim, count, device=self.device)
            table = torch.from_numpy(found)
        else:
            table = torch.empty(len(pairs.queries), min(count, len(pairs.queries) - 1), dtype=torch.int32)
        shared: NDArray[np.int32] = self.processes.share(table.to(self.device)).cpu().numpy()
        return shared


def _publish(trainer: Trainer, result: Evaluation, bundle: Path, *, seconds: float) -> None:
    run = trainer.run
    provenance = {"run": asdict(run), "steps": trainer.step, "seconds": round(seconds)}
    save_bundle(bundle, trainer.best, name=run.name, provenance=provenance, metrics={"validation": result.as_json()})
