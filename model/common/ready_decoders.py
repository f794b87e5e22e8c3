"""Importing this loads every picture decoder: a server that forks processes gives it to all of them at once."""

from __future__ import annotations

from model.common.image_formats import load_decoders

__all__: list[str] = []

load_decoders()
