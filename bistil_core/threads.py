"""Compute threads, never more of them than CPUs this process may use; and GPUs."""

import os
from pathlib import Path


def usable_cpus() -> int:
    """CPUs that this process may run on: its affinity mask, which cgroup cpusets and Slurm set."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def gpus_asked_for(gpu: int = 0, gres: str = "", **others: object) -> int:
    """How many GPUs a step was given, by its resources `gpu: 2` or `gres: "gpu:2"`; 1 where these say nothing."""
    return max(1, gpu, int(gres.rpartition(":")[2]) if gres.startswith("gpu:") else 0)


def usable_gpus() -> int:
    """NVIDIA GPUs of this machine that CUDA_VISIBLE_DEVICES leaves, counted without loading torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    there = len([device for device in Path("/dev").glob("nvidia*") if device.name.removeprefix("nvidia").isdigit()])
    return there if visible is None else min(there, len([each for each in visible.split(",") if each.strip()]))


def limit_threads(requested: int) -> int:
    """Make torch and the tokenizers library use min(requested, usable CPUs) threads, and return that number.

    Oversubscribed OpenMP threads spin against each other: ten times slower was measured on two cores.
    """
    threads = max(1, min(requested, usable_cpus()))
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"

    import torch

    torch.set_num_threads(threads)
    return threads
