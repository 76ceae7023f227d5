"""How to run here: `conf/`, composed by Hydra. Nothing in it can change a score."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from assay.errors import SettingsError
from assay.home import package_folder


@dataclass
class LoggingSettings:
    """Where curves go besides the run's own `metrics.jsonl`.

    Attributes:
        wandb: Whether to log to Weights & Biases.
        mode: `offline` writes locally until `wandb sync`; `online` needs an account.
        project: Project name there.
    """

    wandb: bool = False
    mode: str = "offline"
    project: str = "assay"


@dataclass
class MachineSettings:
    """What to run on.

    Attributes:
        processes: Training processes; more than one launches them through accelerate.
        sharding: `none` replicates the model (DDP); `fsdp` shards it (FSDP2).
    """

    processes: int = 1
    sharding: str = "none"


@dataclass
class ExecutorSettings:
    """Where a worker runs what it takes from a leaderboard.

    Attributes:
        kind: `local` starts processes here; `slurm` and `ray` hand them to a cluster that sees this machine's
            `ASSAY_HOME`.
        slots: Runs at once; 0 takes one a GPU here (one on a CPU), and for a cluster 8.
        gpus: A run asks a cluster for.
        cpus: A run asks a cluster for.
        minutes: Slurm's time limit of a run; one that is cut off goes on from its last checkpoint.
        partition: Of Slurm; empty takes the cluster's default, as do the next two.
        account: Of Slurm.
        qos: Of Slurm.
        address: Of a Ray cluster; empty takes the one that this machine belongs to.
    """

    kind: str = "local"
    slots: int = 0
    gpus: int = 0
    cpus: int = 0
    minutes: int = 0
    partition: str = ""
    account: str = ""
    qos: str = ""
    address: str = ""


@dataclass
class Settings:
    """The whole of `conf/`.

    Attributes:
        device: `auto` takes CUDA where there is one, else the CPU.
        threads: CPU threads of a training process; 0 leaves torch's own choice.
        micro_batch: Windows (or pairs) per forward pass; 0 takes the whole share of a process.
        workers: Processes that read and decode images ahead; 0 reads in the training process.
        checkpoint_seconds: Time between resumable checkpoints.
        progress: Whether to show progress bars.
        machine: What to run on.
        logging: Where curves go.
        executor: Where `assay worker` runs what it takes.
    """

    device: str = "auto"
    threads: int = 0
    micro_batch: int = 0
    workers: int = 0
    checkpoint_seconds: float = 30.0
    progress: bool = True
    machine: MachineSettings = field(default_factory=MachineSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)
    executor: ExecutorSettings = field(default_factory=ExecutorSettings)


def read_settings(values: dict[str, Any]) -> Settings:
    """Return settings from their plain form, as `dataclasses.asdict` gives it."""
    groups = {"machine": MachineSettings, "logging": LoggingSettings, "executor": ExecutorSettings}
    nested = {name: kind(**values.get(name, {})) for name, kind in groups.items()}
    return Settings(**{**values, **nested})


def compose(overrides: Sequence[str], *, clusters: bool = False) -> Settings:
    """Compose `conf/` with `key=value` overrides.

    Args:
        overrides: As given on a command line.
        clusters: Whether the caller can hand runs to one.

    Raises:
        SettingsError: If a key is unknown, a value has the wrong type or would be ignored. Sealed values are
            unknown keys by construction: Hydra never reads `tracks/`.
    """
    for word in overrides:
        # Hydra's `+key=`, `++key=` and `~key` would add or delete keys and be ignored in silence here.
        if not re.match(r"[a-z_]+(\.[a-z_]+)*=", word):
            raise SettingsError(
                _teach(ValueError(f"{word!r} is not of the form key=value"), overrides)
            )
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.config_store import ConfigStore
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    ConfigStore.instance().store(name="schema", node=Settings)
    try:
        with initialize_config_dir(str(package_folder("conf")), version_base="1.3"):
            composed: Any = OmegaConf.to_object(hydra_compose("config", overrides=list(overrides)))
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingsError(_teach(error, overrides)) from None
    _check(composed)
    if composed.executor.kind != "local" and not clusters:
        raise SettingsError(
            f"executor={composed.executor.kind}: only assay worker hands runs to a cluster; leave it out, or start "
            "this command in a job of the cluster"
        )
    return composed


def _teach(error: Exception, overrides: Sequence[str]) -> str:
    """Say in one line which override was wrong; Hydra's own message has the rest."""
    chain: list[BaseException] = [error]
    while cause := chain[-1].__cause__:
        chain.append(cause)
    detail = str(chain[-1]).splitlines()[0].rstrip(".")
    return (
        f"override {' '.join(overrides)!r}: {detail}; these words say how to run here and never reach the sealed "
        "recipe; the keys are in conf/config.yaml: device, threads, micro_batch, workers, checkpoint_seconds, "
        "progress, machine (single, multi_gpu), logging (none, wandb), executor (local, slurm, ray)"
    )


def _check(settings: Settings) -> None:
    """Refuse values that the types allow and a run could not use."""
    choices = {
        "device": (settings.device, ("auto", "cpu", "cuda")),
        "machine.sharding": (settings.machine.sharding, ("none", "fsdp")),
        "logging.mode": (settings.logging.mode, ("offline", "online")),
        "executor.kind": (settings.executor.kind, ("local", "slurm", "ray")),
    }
    for key, (value, allowed) in choices.items():
        if value not in allowed:
            raise SettingsError(f"{key}={value}: must be one of {', '.join(allowed)}")
    least = {
        "threads": (settings.threads, 0),
        "micro_batch": (settings.micro_batch, 0),
        "workers": (settings.workers, 0),
        "checkpoint_seconds": (settings.checkpoint_seconds, 0),
        "machine.processes": (settings.machine.processes, 1),
        "executor.slots": (settings.executor.slots, 0),
        "executor.gpus": (settings.executor.gpus, 0),
        "executor.cpus": (settings.executor.cpus, 0),
        "executor.minutes": (settings.executor.minutes, 0),
    }
    for key, (value, low) in least.items():
        if value < low:
            raise SettingsError(f"{key}={value}: must be at least {low}")
