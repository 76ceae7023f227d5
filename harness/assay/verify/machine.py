"""What of software and machine is as it was: bits are demanded where all of it is, closeness elsewhere."""

import os
from typing import Any

import torch

from assay.runner.environment import software
from assay.settings import MachineSettings, Settings


def settings_as_recorded(record: dict[str, Any], *, processes: bool) -> Settings:
    """Return how to run here, as near to how the record was made as this machine can.

    Args:
        record: Whose device facts to follow.
        processes: Whether several training processes may be started.
    """
    device = record["device"]
    cuda = device["type"] == "cuda" and torch.cuda.is_available()
    places = torch.cuda.device_count() if cuda else os.cpu_count() or 1
    count = device["processes"] if processes and device["processes"] <= places else 1
    sharded = count > 1 and device["sharding"] == "fsdp"
    return Settings(
        device="cuda" if cuda else "cpu",
        threads=max(1, min(device["threads"], os.cpu_count() or 1)),
        micro_batch=max(0, device["micro_batch"]),
        machine=MachineSettings(max(1, count), "fsdp" if sharded else "none"),
    )


def differences(record: dict[str, Any], device: dict[str, Any]) -> list[str]:
    """Return what of software and machine is not as recorded, such as `torch 2.9.0 there, 2.13.0 here`.

    Args:
        record: The record.
        device: Facts about this machine under the names that the record uses; others are not compared.
    """
    here = software(record["track"]["modality"])
    there = record["software"]
    found = [(name, there.get(name), here.get(name)) for name in sorted({*here, *there})]
    found += [(name, record["device"].get(name), value) for name, value in device.items()]
    return [f"{name} {a} there, {b} here" for name, a, b in found if a != b]
