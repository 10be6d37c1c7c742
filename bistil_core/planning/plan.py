"""The plan: jobs, hours, memory, disk and download of every stage, and beside it what each has taken."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bistil_core.files import write_json
from bistil_core.planning.devices import DEVICES, device_named
from bistil_core.planning.sizes import Sizes
from bistil_core.planning.steps import Step, steps_of
from bistil_core.settings.configuration import Configuration

LOGGER = logging.getLogger("bistil")


def plan(configuration: Configuration, output: Path, device: str, threads: int, taken: Mapping[str, float]) -> None:
    """Write the plan of a whole configuration as JSON, and tell it as a table.

    Args:
        output: the JSON file; docs/scale.md describes it.
        device: a name of `devices.DEVICES` that trains and scores; all else is done by CPUs.
        threads: of a CPU, per job.
        taken: output of a step -> the seconds that it took, of those that have run.

    Raises:
        BistilError: there is no such device.
    """
    chosen, cpu, sizes = device_named(device), DEVICES["cpu"], Sizes()
    steps = steps_of(configuration, sizes)
    seconds = [step.cost.need.seconds(chosen if step.cost.trains else cpu, threads) for step in steps]
    table = pd.DataFrame([_row(step, each, taken.get(step.output)) for step, each in zip(steps, seconds, strict=True)])
    table["gpu_seconds"] = table.seconds.where(table.trains & chosen.is_gpu, 0.0)
    stages = [_stage(str(rule), rows) for rule, rows in table.groupby("rule", sort=False)]
    total = _stage("all", table)
    assumed = sizes.assumptions
    report = {
        "schema_version": 1,
        "device": {"name": chosen.name, "basis": chosen.basis, "memory_bytes": chosen.memory, "threads": threads},
        "assumptions": assumed,
        "stages": stages,
        "total": total,
        "steps": [
            {"rule": step.rule, "output": step.output, "seconds": round(each, 1), "taken": _rounded(taken, step)}
            for step, each in zip(steps, seconds, strict=True)
        ],
    }
    write_json(output, report)
    LOGGER.info("%s", _told(stages, total))
    LOGGER.info("on %s (%s)", chosen.name, chosen.basis)
    for sentence in assumed:
        LOGGER.info("assumed: %s", sentence)


def _row(step: Step, seconds: float, taken: float | None) -> dict[str, Any]:
    cost = step.cost
    return {
        "rule": step.rule,
        "seconds": seconds,
        "trains": cost.trains,
        "memory": cost.need.bytes,
        "disk": cost.disk,
        "scratch": cost.scratch,
        "download": cost.download,
        "taken": taken,
        "predicted": seconds if taken is not None else None,
    }


def _stage(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    ended = rows[rows.taken.notna()]
    return {
        "stage": name,
        "jobs": len(rows),
        "seconds": round(float(rows.seconds.sum()), 1),
        "gpu_seconds": round(float(rows.gpu_seconds.sum()), 1),
        "peak_memory_bytes": round(float(rows.memory.max())),
        "disk_bytes": round(float(rows.disk.sum())),
        "scratch_bytes": round(float(rows.scratch.max())),
        "download_bytes": round(float(rows.download.sum())),
        "taken": {
            "jobs": len(ended),
            "seconds": round(float(ended.taken.sum()), 1),
            "predicted_seconds": round(float(ended.predicted.sum()), 1),
        },
    }


def _rounded(taken: Mapping[str, float], step: Step) -> float | None:
    seconds = taken.get(step.output)
    return None if seconds is None else round(seconds, 1)


def _told(stages: list[dict[str, Any]], total: dict[str, Any]) -> str:
    """The stages as a Markdown table; of what has run, the seconds that it took and those that were predicted."""
    names = ("stage", "jobs", "time", "GPU time", "memory", "disk", "download", "taken", "predicted")
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for stage in (*stages, total):
        run = stage["taken"]
        values = [stage["stage"], f"{stage['jobs']:,}", _time(stage["seconds"]), _time(stage["gpu_seconds"])]
        values += [_size(stage[name]) for name in ("peak_memory_bytes", "disk_bytes", "download_bytes")]
        values += [_time(run[name]) if run["jobs"] else "" for name in ("seconds", "predicted_seconds")]
        lines.append(f"| {' | '.join(values)} |")
    return "\n".join(lines)


def _time(seconds: float) -> str:
    """Hours where it is an hour or more, else minutes and seconds."""
    return f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def _size(count: float) -> str:
    """Megabytes below a gigabyte, gigabytes below a terabyte."""
    unit, divisor = next(((u, d) for u, d in (("TB", 1e12), ("GB", 1e9)) if count >= d), ("MB", 1e6))
    return f"{count / divisor:,.1f} {unit}"
