from dataclasses import replace

import pytest

from bistil_core.errors import BistilError
from bistil_core.planning.devices import DEVICES, START, device_named, gpu_of
from bistil_core.planning.resources import Need


def test_a_gpu_is_no_faster_than_it_can_be_told_what_to_do():
    gpu = DEVICES["A100"]
    small = Need(start="training", flops=1.0, passes=1e6)
    assert small.seconds(gpu, 1) == pytest.approx(START["training"] + 1e6 * gpu.launching)
    large = Need(start="training", flops=gpu.flops["bfloat16"] * 500, passes=1, precision="bfloat16")
    assert large.seconds(gpu, 1) == pytest.approx(START["training"] + 500)
    assert replace(large, precision="float32").seconds(gpu, 1) > 5000


def test_threads_of_a_cpu_share_the_work_and_those_of_a_gpu_do_not():
    need = Need(start="training", flops=1e12)
    alone, four = (need.seconds(DEVICES["cpu"], threads) - START["training"] for threads in (1, 4))
    assert alone == pytest.approx(4 * four)
    assert need.seconds(gpu_of(0.5), 1) == need.seconds(gpu_of(0.5), 4) == START["training"] + 2


def test_a_device_that_nobody_knows_is_refused_with_those_that_are_known():
    with pytest.raises(BistilError, match=r"'A1000'.*A100"):
        device_named("A1000")
