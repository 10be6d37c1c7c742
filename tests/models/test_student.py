import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, BertConfig, BertModel

from bistil_core import build_student
from bistil_core.errors import BistilError

ORACLE = Path(__file__).parents[1] / "oracle" / "distil"
MAPPING = json.loads((ORACLE / "layer_mapping.json").read_text())
MODEL_TYPES = {"bert": "bert", "xlmr": "xlm-roberta", "debertav2": "deberta-v2"}


def small_model(model_type: str, layers: int):
    config = AutoConfig.for_model(
        model_type, vocab_size=40, hidden_size=8, num_hidden_layers=layers, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=32,
        **({"relative_attention": True, "position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True,
            "pos_att_type": ["p2c", "c2p"]} if model_type == "deberta-v2" else {}),
    )  # fmt: skip
    torch.manual_seed(0)
    model = AutoModel.from_config(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    return model


@pytest.mark.parametrize("case", [case for case in MAPPING if case.endswith("regular")])
def test_layers_come_from_the_teacher_layers_that_the_reference_names(case):
    architecture, layers, factor, _ = case.split("/")
    expected = MAPPING[case]
    factor = int(factor.removeprefix("factor"))
    teacher = small_model(MODEL_TYPES[architecture], int(layers[1:]))
    student = build_student(teacher, factor)
    wanted, got = teacher.state_dict(), student.state_dict()
    for student_layer, teacher_layer in enumerate(expected["student_layer_to_teacher_layer_init"]):
        prefix = f"encoder.layer.{student_layer}."
        names = [name for name in got if name.startswith(prefix)]
        assert names
        for name in names:
            source = name.replace(prefix, f"encoder.layer.{teacher_layer}.")
            assert torch.equal(got[name], wanted[source])
    others = [name for name in got if not name.startswith("encoder.layer.")]
    assert set(expected["non_layer_params_copied"]) <= set(others)
    assert all(torch.equal(got[name], wanted[name]) for name in others)
    config = student.config
    assert [config.hidden_dropout_prob, config.attention_probs_dropout_prob] == expected["student_dropout"]
    assert config.num_hidden_layers == len(expected["student_layer_to_teacher_layer_init"])


def test_student_equals_the_initialised_student_of_the_reference():
    teacher = BertModel(BertConfig.from_pretrained(ORACLE / "bert_base_teacher_config.json"))
    teacher.load_state_dict(load_file(ORACLE / "bert_base_teacher.safetensors"))
    student = build_student(teacher, 2)
    for name, value in load_file(ORACLE / "bert_base_student_init.safetensors").items():
        assert torch.equal(student.get_parameter(name), value), name


def test_student_is_headless_and_shares_no_memory():
    teacher = small_model("bert", 4)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    student = build_student(teacher, 4)
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
    assert not any("cls" in name or "classifier" in name for name in student.state_dict())


def test_a_factor_that_does_not_divide_names_those_that_do():
    with pytest.raises(BistilError, match=r"4 does not divide the teacher's 6 layers; choose one of 1, 2, 3, 6"):
        build_student(small_model("bert", 6), 4)
