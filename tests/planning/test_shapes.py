from dataclasses import replace

import pytest
from transformers import XLMRobertaConfig

from bistil_core.models.student import student_config
from bistil_core.planning.inputs import parquet_size
from bistil_core.planning.shapes import ModelShape
from bistil_core.planning.sizes import MODELS


def test_a_shape_is_read_from_the_folder_of_a_model(tmp_path):
    config = XLMRobertaConfig(hidden_size=48, num_hidden_layers=4, num_attention_heads=2, vocab_size=99)
    config.save_pretrained(tmp_path)
    assert ModelShape.of(tmp_path) == ModelShape(4, 48, config.intermediate_size, 2, 99)
    student_config(config, 2).save_pretrained(tmp_path / "student")
    assert ModelShape.of(tmp_path / "student").layers == 2


def test_what_is_not_there_yet_is_named_as_snakemake_knows_it(tmp_path):
    for ask in (ModelShape.of, parquet_size):
        with pytest.raises(FileNotFoundError) as error:
            ask(str(tmp_path / "later"))
        assert error.value.filename == str(tmp_path / "later")


def test_published_models_have_their_parameters():
    published = {
        "FacebookAI/xlm-roberta-base": 278e6,
        "google-bert/bert-base-multilingual-cased": 178e6,
        "microsoft/mdeberta-v3-base": 278e6,
    }
    for name, count in published.items():
        assert MODELS[name].parameters == pytest.approx(count, rel=0.01)


def test_a_forward_pass_is_two_operations_for_each_weight_each_attention_probability_and_each_logit():
    tiny = ModelShape(layers=1, hidden=2, intermediate=3, heads=1, vocabulary=10)
    # A token meets 4 * 2 * 2 + 2 * 2 * 3 weights, and a row of 5 tokens twice with 2 values each.
    assert tiny.forward_flops(tokens=7, length=5) == 2 * 7 * (16 + 12 + 2 * 5 * 2)
    assert tiny.forward_flops(7, 5, outputs=10) - tiny.forward_flops(7, 5) == 2 * 7 * 2 * 10


def test_attention_maps_need_memory_by_the_square_of_the_length():
    shape = MODELS["FacebookAI/xlm-roberta-base"]

    def maps(length):
        return shape.activations(2048, length) - replace(shape, heads=0).activations(2048, length)

    assert maps(512) == 2 * maps(256)
