"""Curves while training: always `metrics.jsonl`, Weights & Biases where conf/ asks for it."""

import json
import time
from pathlib import Path
from typing import Any

from assay.artifact import write_atomic
from assay.errors import SettingsError
from assay.settings import Settings

METRICS_FILE = "metrics.jsonl"


def read_lines(path: Path) -> list[str]:
    """Return a file's lines, none where there is no file."""
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


class Tracker:
    """Writes one line a step; only the main process writes.

    Attributes:
        seconds: Time spent in steps, earlier attempts included.
    """

    def __init__(self, folder: Path, settings: Settings, main_process: bool):
        self._path = folder / METRICS_FILE
        self._main = main_process
        self._lines: list[str] = []
        self._last = time.monotonic()
        self.seconds = 0.0
        self._wandb: Any = self._start_wandb(folder, settings) if main_process else None

    def _start_wandb(self, folder: Path, settings: Settings) -> Any:
        if not settings.logging.wandb:
            return None
        try:
            import wandb
        except ImportError:
            raise SettingsError(
                "logging=wandb: wandb is not installed; install it with: pip install -c constraints.txt -e '.[wandb]'"
            ) from None
        return wandb.init(
            project=settings.logging.project,
            mode="offline" if settings.logging.mode == "offline" else "online",
            dir=folder,
            name=folder.name,
        )

    def truncate(self, step: int) -> None:
        """Drop lines from `step` on: a killed attempt may have written past its last checkpoint."""
        if not self._main:
            return
        kept: list[str] = []
        for line in read_lines(self._path):
            # A kill in the middle of a write leaves half a line, the last.
            if not line.endswith("}") or json.loads(line)["step"] >= step:
                break
            kept.append(line)
        if kept:
            self.seconds = json.loads(kept[-1])["seconds"]
        write_atomic(self._path, "".join(line + "\n" for line in kept).encode())
        self._last = time.monotonic()

    def log(self, step: int, loss: float, lr_frac: float, units: int) -> None:
        """Note one step."""
        now = time.monotonic()
        self.seconds += now - self._last
        values = {
            "step": step,
            "loss": loss,
            "lr_frac": lr_frac,
            "seconds": round(self.seconds, 4),
            "rate": round(units / max(now - self._last, 1e-9), 1),
        }
        self._last = now
        if not self._main:
            return
        self._lines.append(json.dumps(values))
        if len(self._lines) >= 100:
            self.flush()
        if self._wandb is not None:
            self._wandb.log(values, step=step)

    def flush(self) -> None:
        """Append the lines held back to the file."""
        if self._main and self._lines:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.writelines(line + "\n" for line in self._lines)
            self._lines.clear()

    def close(self) -> None:
        """Write what is left."""
        self.flush()
        if self._wandb is not None:
            self._wandb.finish()
