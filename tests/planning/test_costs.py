from dataclasses import replace

import pytest

from bistil_core.errors import BistilError
from bistil_core.planning.costs import Cost, Training, forward_flops, parameters
from bistil_core.planning.devices import DEVICES, START, device_named
from bistil_core.planning.sizes import MODELS
from bistil_core.resources import ModelShape

TINY = ModelShape(layers=1, hidden=2, intermediate=3, heads=1, vocabulary=10)


def test_a_forward_pass_is_two_operations_for_each_weight_and_each_attention_probability():
    # A token meets 4 * 2 * 2 + 2 * 2 * 3 weights, and a row of 5 tokens twice with 2 values each.
    assert forward_flops(TINY, tokens=7, length=5) == 2 * 7 * (16 + 12 + 2 * 5 * 2)


def test_published_models_have_their_parameters():
    published = {
        "FacebookAI/xlm-roberta-base": 278e6,
        "google-bert/bert-base-multilingual-cased": 178e6,
        "microsoft/mdeberta-v3-base": 278e6,
    }
    for name, count in published.items():
        assert parameters(MODELS[name]) == pytest.approx(count, rel=0.01)


def test_learning_is_three_passes_and_a_teacher_or_a_validation_one():
    bare = Training(TINY, None, rows=2, length=4, steps=10, validated=0)
    once = forward_flops(TINY, 80, 4)
    assert bare.flops == 3 * once
    assert replace(bare, teacher=TINY).flops == 4 * once
    assert replace(bare, validated=20).flops == 4 * once
    assert replace(bare, teacher=TINY).passes == 40


def test_a_gpu_is_no_faster_than_it_can_be_told_what_to_do():
    gpu = DEVICES["A100"]
    small = Cost("training", flops=1.0, passes=1e6)
    assert small.seconds(gpu, 1) == pytest.approx(START["training"] + 1e6 * gpu.launching)
    large = Cost("training", flops=gpu.flops["bfloat16"] * 500, passes=1, precision="bfloat16")
    assert large.seconds(gpu, 1) == pytest.approx(START["training"] + 500)
    assert replace(large, precision="float32").seconds(gpu, 1) > 5000


def test_threads_of_a_cpu_share_the_work():
    cost = Cost("training", flops=1e12)
    alone, four = (cost.seconds(DEVICES["cpu"], threads) - START["training"] for threads in (1, 4))
    assert alone == pytest.approx(4 * four)


def test_a_device_that_nobody_knows_is_refused_with_those_that_are_known():
    with pytest.raises(BistilError, match=r"'A1000'.*A100"):
        device_named("A1000")
