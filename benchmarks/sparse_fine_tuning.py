"""What selecting, storing, switching and training a sparse fine-tuning cost, on one core.

    python benchmarks/sparse_fine_tuning.py [--naive-parameters 10000000]

108M parameters in the shape of XLM-R base with 30,000 tokens; a student of 66M with 28,000 tokens. Memory is the
process's peak beyond what it held before (Linux). The naive selection puts every movement into a list of Python
floats and sorts it; at full size (--naive-parameters 108000000) it needs 6 GB.
"""

import argparse
import ctypes
import gc
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from bistil_core import SparseFineTuning, select_parameters
from bistil_core.models.sparse_application import SparseSwitch
from bistil_core.training.sparse_optimiser import SparseAdamW

Tensors = dict[str, torch.Tensor]


def encoder(layers: int, tokens: int) -> Tensors:
    shapes = {"embeddings.word_embeddings.weight": (tokens, 768), "embeddings.position_embeddings.weight": (514, 768)}
    for layer in range(layers):
        prefix = f"encoder.layer.{layer}"
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {f"{prefix}.{part}.weight": (768, 768), f"{prefix}.{part}.bias": (768,)}
        shapes |= {f"{prefix}.intermediate.dense.weight": (3072, 768), f"{prefix}.intermediate.dense.bias": (3072,)}
        shapes |= {f"{prefix}.output.dense.weight": (768, 3072), f"{prefix}.output.dense.bias": (768,)}
    generator = torch.Generator().manual_seed(1)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def status(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1e3


def measured(work: Callable[[], object]) -> tuple[object, float, float]:
    """(result, CPU seconds, MB of peak memory beyond what was held)."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # Freed memory that the process still holds would hide what the work takes.
    Path("/proc/self/clear_refs").write_text("5")
    held, start = status("VmRSS"), time.process_time()
    result = work()
    return result, time.process_time() - start, status("VmHWM") - held


def median_time(work: Callable[[], object], repeats: int = 9) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[repeats // 2]


def naive_selection(original: Tensors, tuned: Tensors, density: float) -> Tensors:
    movements = []
    for name, value in original.items():
        movements.extend((tuned[name] - value).abs().view(-1).tolist())
    threshold = sorted(movements, reverse=True)[math.floor(density * len(movements)) - 1]
    return {name: (tuned[name] - value).abs() >= threshold for name, value in original.items()}


class Model(torch.nn.Module):
    """Parameters and nothing else."""

    def __init__(self, values: Tensors):
        super().__init__()
        self.names = {name: name.replace(".", "_") for name in values}
        for name, value in values.items():
            self.register_parameter(self.names[name], torch.nn.Parameter(value, requires_grad=False))


def selection_and_files(naive_parameters: int) -> None:
    original = encoder(12, 29_500)
    generator = torch.Generator().manual_seed(2)
    tuned = {name: value + 1e-3 * torch.randn(value.shape, generator=generator) for name, value in original.items()}
    size = sum(value.numel() for value in original.values())
    masks, seconds, memory = measured(lambda: select_parameters(original, tuned, 0.08))
    count = sum(int(mask.sum()) for mask in masks.values())
    print(f"selection: {count:,} of {size:,} in {seconds:.2f} CPU s, {memory:.0f} MB (masks included)")
    assert count == math.floor(0.08 * size)

    some, left = {}, naive_parameters
    for name, value in original.items():
        some[name] = value.view(-1)[:left]
        left -= some[name].numel()
    part = {name: tuned[name].view(-1)[: len(value)] for name, value in some.items()}
    _, seconds, memory = measured(lambda: naive_selection(some, part, 0.08))
    print(f"  naive, {sum(map(len, some.values())):,} parameters: {seconds:.2f} CPU s, {memory:.0f} MB")

    masks = select_parameters(original, tuned, 7_600_001 / size)
    sft = SparseFineTuning.difference(original, tuned, masks)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sft.safetensors"
        saving, loading = median_time(lambda: sft.save(path), 5), median_time(lambda: SparseFineTuning.load(path), 5)
        print(
            f"file: {sft.tuned_parameters:,} values, {path.stat().st_size / 1e6:.1f} MB, "
            f"save {saving:.2f} s + load {loading:.2f} s"
        )
    switching(original, sft)


def switching(original: Tensors, sft: SparseFineTuning) -> None:
    model = Model(original)

    def named(scale: float) -> SparseFineTuning:
        differences = {
            model.names[name]: (places, values * scale) for name, (places, values) in sft.differences.items()
        }
        return SparseFineTuning(differences, {model.names[name]: shape for name, shape in sft.shapes.items()})

    parts = {"en": named(1.0), "sw": named(-1.0)}
    print(f"apply: {median_time(lambda: parts['en'].apply(model), 3) * 1e3:.0f} ms", end=", ")
    print(f"revert: {median_time(lambda: parts['en'].revert(model), 3) * 1e3:.0f} ms")
    switch, seconds, memory = measured(lambda: SparseSwitch(model, parts))
    print(f"switch: built in {seconds:.2f} CPU s, {memory:.0f} MB", end="; ")

    def both() -> None:
        switch.activate("en")
        switch.activate("sw")

    print(f"from one to the other {median_time(both) / 2 * 1e3:.2f} ms")


def optimisers() -> None:
    values = encoder(6, 28_000)
    generator = torch.Generator().manual_seed(3)
    masks = [torch.rand(value.shape, generator=generator) < 0.08 for value in values.values()]
    for value in values.values():
        value.grad = torch.randn(value.shape, generator=generator)
    parameters = list(values.values())
    print(f"optimiser: {sum(value.numel() for value in parameters):,} parameters, 8 % selected")

    def masked_dense(optimiser: torch.optim.Optimizer) -> Callable[[], None]:
        def step() -> None:
            for parameter, mask in zip(parameters, masks, strict=True):
                parameter.grad.mul_(mask)
            optimiser.step()

        return step

    kinds = {
        "masked dense AdamW": lambda: masked_dense(torch.optim.AdamW(parameters, weight_decay=0.0)),
        "masked dense AdamW, fused": lambda: masked_dense(torch.optim.AdamW(parameters, weight_decay=0.0, fused=True)),
        "sparse": lambda: SparseAdamW([{"params": parameters, "masks": masks}]).step,
    }
    for kind, build in kinds.items():

        def first_steps(build: Callable = build) -> Callable[[], None]:
            step = build()
            step()
            step()
            return step

        step, _, memory = measured(first_steps)
        print(f"  {kind}: {memory:.0f} MB at the peak, {median_time(step) * 1e3:.0f} ms a step")
        del step


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--naive-parameters", type=int, default=10_000_000)
    torch.set_num_threads(1)
    selection_and_files(parser.parse_args().naive_parameters)
    optimisers()
