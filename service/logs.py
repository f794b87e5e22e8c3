"""Log lines as text for people or as JSON for machines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

__all__ = ["set_up_logs"]


def set_up_logs(level: str, form: str) -> None:
    """Write every log line of the process to stderr.

    Args:
        level: the least severe that is written.
        form: text or json.
    """
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    if form == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines())
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # tells at length which variants it tried


class JsonLines(logging.Formatter):
    """One JSON object a line; what a request was stands beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        told = getattr(record, "told", None)
        line |= told if isinstance(told, dict) else {"message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
