"""PyTorch's own files, read so that nothing stored in them is run."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from model.common.errors import reason_of

__all__ = ["load_torch_file"]

_OBJECT = re.compile(r"Unsupported (?:global: GLOBAL|class) ([\w.]+)")
_SHOWN, _TOLD = 12, 120
"""How many bytes of a file of another kind, and letters of torch's own words, an error shows."""


def load_torch_file(path: Path) -> Any:
    """Tensors and plain values as they were saved, on the CPU.

    Raises:
        ValueError: it is no such file, or holds anything else; the message says which, in one line.
        OSError: it cannot be opened.
    """
    try:
        return torch.load(path, "cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a file that is no checkpoint makes torch raise almost anything
        raise ValueError(_why(path, error)) from error


def _why(path: Path, error: Exception) -> str:
    """torch's own words are a page long, or a bare number, and advise to run whatever the file holds."""
    if found := _OBJECT.search(str(error)):
        return (
            f"it holds an object of the class {found[1]}, which is not run; save the weights alone, as "
            "torch.save(model.state_dict(), FILE) does"
        )
    if "TorchScript" in str(error):
        return "it is a TorchScript program; save its weights, as torch.save(model.state_dict(), FILE) does"
    with path.open("rb") as file:
        head = file.read(_SHOWN)
    if not head:
        return "it is empty (0 bytes)"
    if head.startswith(b"PK"):
        whole = zipfile.is_zipfile(path)
        return f"torch finds no weights in this zip file ({_told(error)})" if whole else "it is cut off or damaged"
    if head.startswith(b"\x80"):
        return f"it is a pickle that is cut off, damaged or none of torch's ({_told(error)})"
    return f"it begins with {head!r}, as no file of torch's does"


def _told(error: Exception) -> str:
    return reason_of(error).partition(" This is an internal")[0][:_TOLD]
