"""Latency, throughput, memory and energy of teacher and student on this machine.

Everything that is read off a clock lives in its own file, so that the result itself stays deterministic.
"""

import logging
import multiprocessing
import platform
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch

from bistil_core.evaluation.finished import load_finished
from bistil_core.files import write_json
from bistil_core.settings.tasks import EvaluateSettings
from bistil_core.tasks import task_named
from bistil_core.threads import limit_threads

LOGGER = logging.getLogger("bistil")
THROUGHPUT_BATCH = 32
ENERGY_COUNTER = Path("/sys/class/powercap/intel-rapl:0/energy_uj")


def measure_speed(
    teacher: Path, student: Path, sft: Path, output: Path, task: str, settings: EvaluateSettings, threads: int
) -> None:
    """Time both models on random token ids and write their figures and the ratios teacher / student.

    Args:
        teacher: folder of the task teacher.
        student: folder of the phase-1 student.
        sft: the student's sparse fine-tuning for the task.
        output: JSON file. Latency in milliseconds (batch 1), throughput in examples per second (batch 32),
            both the median of the repeats with the smallest and the largest; peak memory in bytes; energy in
            joules per example where the machine has a readable counter, else null.
        settings: `evaluate` of the configuration: repeats, and tokens per example.
        threads: compute threads of each model; each has a process to itself, so that peak memory is its own.
    """
    figures = {
        system: _in_process_of_its_own(_measure, task, folder, own_sft, settings, threads)
        for system, folder, own_sft in (("teacher", teacher, None), ("student", student, sft))
    }

    def ratio(name: str, inverse: bool = False) -> float:
        slow, fast = (figures[system][name]["median"] for system in ("teacher", "student"))
        return fast / slow if inverse else slow / fast

    speedup = {"latency": ratio("latency_ms"), "throughput": ratio("examples_per_second", inverse=True)}
    write_json(
        output,
        {
            "schema_version": 1,
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else _processor(),
            "threads": threads,
            "tokens_per_example": settings.speed_length,
            "models": figures,
            "speedup": speedup,
        },
    )
    LOGGER.info(
        "the student takes %.1f ms for %d tokens and is %.2f times as fast as the teacher",
        figures["student"]["latency_ms"]["median"], settings.speed_length, speedup["latency"],
    )  # fmt: skip


def _in_process_of_its_own(function: Callable, *arguments) -> dict:
    # Forked, before this process has touched torch's threads or a GPU: spawning would run the caller's script again.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        return pool.submit(function, *arguments).result()


def _measure(task: str, folder: Path, sft: Path | None, settings: EvaluateSettings, threads: int) -> dict:
    limit_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_finished(task_named(task), folder, sft).to(device)
    length = min(settings.speed_length, model.config.max_position_embeddings - 2)
    generator = torch.Generator().manual_seed(0)

    def batch_of(size: int) -> dict[str, torch.Tensor]:
        ids = torch.randint(5, model.config.vocab_size - 1, (size, length), generator=generator)
        return {"input_ids": ids.to(device), "attention_mask": torch.ones_like(ids).to(device)}

    with torch.inference_mode():
        latency, _ = _seconds(model, batch_of(1), settings.speed_repeats)
        throughput, joules = _seconds(model, batch_of(THROUGHPUT_BATCH), settings.speed_repeats)
    peak = (
        torch.cuda.max_memory_allocated()
        if device == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    return {
        "latency_ms": _spread([1000 * seconds for seconds in latency]),
        "examples_per_second": _spread([THROUGHPUT_BATCH / seconds for seconds in throughput]),
        "peak_memory_bytes": peak,
        "joules_per_example": None if joules is None else joules / (THROUGHPUT_BATCH * settings.speed_repeats),
    }


def _seconds(model, batch: dict[str, torch.Tensor], repeats: int) -> tuple[list[float], float | None]:
    """Seconds of each repeat after two warm-ups, and the joules that all repeats took."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else (lambda: None)
    for _ in range(2):
        model(**batch)
    wait()
    before, seconds = _joules(), []
    for _ in range(repeats):
        start = time.perf_counter()
        model(**batch)
        wait()
        seconds.append(time.perf_counter() - start)
    after = _joules()
    # The counter wraps around: a negative difference is no measurement.
    used = None if before is None or after is None or after < before else after - before
    return seconds, used


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _joules() -> float | None:
    try:
        return int(ENERGY_COUNTER.read_text()) / 1e6
    except (OSError, ValueError):
        return None


def _processor() -> str:
    """The processor's name as /proc/cpuinfo gives it, else as the platform does."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
