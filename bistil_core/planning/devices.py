"""How fast the machines are that a plan may name, or a profile describe.

The CPU's speed, and the seconds besides computation, are those of a run of the miniature (docs/scale.md has both beside
each other, and the command). No GPU was at hand: theirs are data sheets and a share of the peak that is assumed.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from bistil_core.errors import BistilError

Precision = Literal["float32", "bfloat16"]

ASSUMED_SHARE = 0.3
"""Of a GPU's peak, in training with small batches and eager attention."""

LAUNCHING = 0.25e-3
"""Assumed seconds in which a GPU is told what to do for one pass of one layer, at least."""

START = {"text": 1.7, "weights": 3.6, "training": 5.3}
"""Seconds until a step begins: Python alone, with torch, with transformers' Trainer and all tasks."""

TEXT_PER_SECOND = 2e6
"""Bytes of text that are read, cleaned or tokenised, by one thread."""

EXAMPLES_PER_SECOND = 20_000
"""Labelled examples that are read, checked and written."""

RESAMPLING = 3.0
"""Seconds for the intervals of a score."""

TIMING = 2.0
"""Seconds for the timed repeats, which are few."""


@dataclass(frozen=True)
class Device:
    """What trains.

    Attributes:
        flops: by precision, floating-point operations per second that it does in these trainings; of one CPU thread.
        launching: seconds for each pass of each layer, at least; a CPU has none.
        memory: bytes, where they are known.
        basis: where the numbers come from.
    """

    name: str
    flops: dict[str, float]
    launching: float
    memory: float | None
    basis: str

    @property
    def is_gpu(self) -> bool:
        """Whether its hours are GPU-hours."""
        return self.launching > 0


def _gpu(name: str, float32: float, bfloat16: float, gigabytes: float) -> Device:
    flops = {"float32": ASSUMED_SHARE * float32 * 1e12, "bfloat16": ASSUMED_SHARE * bfloat16 * 1e12}
    basis = f"{ASSUMED_SHARE:.0%} of the data sheet's {float32:g} and {bfloat16:g} TFLOP/s is assumed, not measured"
    return Device(name, flops, LAUNCHING, gigabytes * 1e9, basis)


DEVICES = {
    device.name: device
    for device in (
        Device("cpu", {"float32": 55e9, "bfloat16": 55e9}, 0.0, None, "a thread, measured on the miniature"),
        _gpu("RTX3090", 35.6, 71, 24),
        _gpu("RTX4090", 82.6, 165, 24),
        _gpu("A100", 19.5, 312, 80),
        _gpu("L40S", 91.6, 362, 48),
        _gpu("H100", 67, 989, 80),
        _gpu("H200", 67, 989, 141),
    )
}


def gpu_of(teraflops: float) -> Device:
    """A GPU that does so many teraFLOP/s in these trainings, in either precision."""
    flops = dict.fromkeys(get_args(Precision), teraflops * 1e12)
    return Device("GPU", flops, LAUNCHING, None, "as the profile says")


def device_named(name: str) -> Device:
    """The device of that name.

    Raises:
        BistilError: there is none; the message lists those there are.
    """
    if name not in DEVICES:
        raise BistilError(f"no device is called {name!r} in a plan; choose one of {', '.join(DEVICES)}")
    return DEVICES[name]
