"""Every family through all that the pipeline does with a model: cut, reduce, distil, tune sparsely, save, load."""

import copy

import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BertConfig,
    DebertaV2Config,
    EuroBertConfig,
    ModernBertConfig,
    XLMRobertaConfig,
    set_seed,
)

from bistil_core import SparseFineTuning, build_student, select_parameters
from bistil_core.errors import BistilError
from bistil_core.models.dropout import dropout_overrides
from bistil_core.models.families import family_of
from bistil_core.settings.optimisation import SparseOptimisation
from bistil_core.tasks import task_named
from bistil_core.training.lottery_ticket import freeze, head_parameters, sparsified_group
from bistil_core.training.objectives import Distillation
from bistil_core.vocabulary.trimmed_embeddings import trim_embeddings

SIZE = {
    "vocab_size": 60, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "num_hidden_layers": 6,
    "max_position_embeddings": 40, "initializer_range": 0.2,
}  # fmt: skip
SPECIAL = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
CONFIGURATIONS = {
    "bert": BertConfig(**SIZE, pad_token_id=0),
    "xlm-roberta": XLMRobertaConfig(**SIZE, **SPECIAL, type_vocab_size=1),
    "deberta-v2": DebertaV2Config(
        **SIZE, pad_token_id=0, relative_attention=True, position_buckets=8, pos_att_type=["p2c", "c2p"],
        share_att_key=True, norm_rel_ebd="layer_norm", position_biased_input=False, type_vocab_size=0,
    ),
    "modernbert": ModernBertConfig(**SIZE, **SPECIAL, cls_token_id=0, sep_token_id=2, local_attention=8),
    "eurobert": EuroBertConfig(**SIZE, **SPECIAL, mask_token_id=3, num_key_value_heads=2),
}  # fmt: skip
KEPT = [*range(6), *range(7, 60, 2)]
NLI = task_named("nli")


@pytest.fixture(params=CONFIGURATIONS)
def family(request):
    return request.param


def teacher_of(family):
    set_seed(0)
    return AutoModel.from_config(copy.deepcopy(CONFIGURATIONS[family]), attn_implementation="eager").eval()


def batch():
    ids = torch.randint(6, len(KEPT), (2, 20), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 12:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def test_attention_is_given_and_hidden_states_are_one_more_than_layers(family):
    with torch.no_grad():
        outputs = teacher_of(family)(**batch(), output_attentions=True, output_hidden_states=True)
    assert len(outputs.attentions) == 6
    assert len(outputs.hidden_states) == 7
    assert torch.equal(outputs.hidden_states[-1], outputs.last_hidden_state)
    for attention in outputs.attentions:
        sums = attention.sum(-1)
        torch.testing.assert_close(sums[0], torch.ones_like(sums[0]))


def test_a_trimmed_model_says_the_same_of_kept_tokens(family):
    teacher = teacher_of(family)
    inputs = batch()
    old = {**inputs, "input_ids": torch.tensor(KEPT)[inputs["input_ids"]]}
    with torch.no_grad():
        before = teacher(**old).last_hidden_state
        after = trim_embeddings(teacher, KEPT)(**inputs).last_hidden_state
    torch.testing.assert_close(after[inputs["attention_mask"].bool()], before[inputs["attention_mask"].bool()])
    assert teacher.get_input_embeddings().weight.shape[0] == teacher.config.vocab_size == len(KEPT)


@pytest.mark.parametrize("factor", [2, 3])
def test_student_layers_are_the_teachers(family, factor):
    teacher = teacher_of(family)
    student = build_student(teacher, factor)
    layers = family_of(student.config.model_type).layers
    teachers, students = (list(model.get_submodule(layers)) for model in (teacher, student))
    assert len(students) == 6 // factor
    for index, layer in enumerate(students):
        copied = teachers[(index + 1) * factor - 1]
        wanted = copied.state_dict()
        for name, value in layer.state_dict().items():
            assert torch.equal(value, wanted[name]), name
        assert getattr(layer, "attention_type", None) == getattr(copied, "attention_type", None)
    missing = set(teachers[factor - 1].state_dict()) - set(students[0].state_dict())
    assert missing == ({"attn_norm.weight"} if family == "modernbert" else set())


def test_embeddings_layers_and_norms_can_be_frozen(family):
    settings = SparseOptimisation(
        learning_rate=1e-3, batch_size=1, density=0.1, dense_epochs=1, sparse_epochs=1, max_length=8,
        freeze_layer_norm=True, freeze_embeddings=True, freeze_layers=1,
    )  # fmt: skip
    model = teacher_of(family)
    freeze(model, settings)
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    description = family_of(model.config.model_type)
    assert trained
    assert not [name for name in trained if name.startswith((f"{description.embeddings}.", f"{description.layers}.0."))]
    assert not [name for name in trained if "norm" in name.lower()]
    assert f"{description.layers}.1." in " ".join(sorted(trained))


def test_dropout_is_set_by_the_familys_own_names(family, tmp_path):
    teacher_of(family).save_pretrained(tmp_path)
    model = NLI.load_model(tmp_path, **dropout_overrides(tmp_path, 0.37))
    rates = {module.p for module in model.base_model.modules() if isinstance(module, torch.nn.Dropout)}
    rates |= {module.attention_dropout for module in model.base_model.modules() if hasattr(module, "attention_dropout")}
    assert 0.37 in rates
    assert not [rate for rate in rates if rate not in (0.37, 0.0)]


def test_both_phases_take_a_step_and_the_model_comes_back_from_its_folder(family, tmp_path):
    teacher = trim_embeddings(teacher_of(family), KEPT)
    student = build_student(teacher, 2).train()
    parts = Distillation(teacher)(student, batch())
    assert parts["attention"] > 0
    assert parts["hidden"] > 0
    sum(parts.values()).backward()
    ungraded = {name for name, value in student.named_parameters() if value.grad is None}
    assert all("pooler" in name for name in ungraded)
    torch.optim.SGD(student.parameters(), 0.01).step()
    student.save_pretrained(tmp_path / "student")

    teacher.save_pretrained(tmp_path / "teacher")
    task_teacher = NLI.load_model(tmp_path / "teacher", attn_implementation="eager")
    model = NLI.load_model(tmp_path / "student", attn_implementation="eager").train()
    group, head = sparsified_group(model), head_parameters(model)
    before = {name: value.detach().clone() for name, value in group.items()}
    parts = Distillation(task_teacher, NLI)(model, batch())
    assert set(parts) == {"attention", "hidden", "prediction"}
    sum(parts.values()).backward()
    torch.optim.SGD([value for value in model.parameters() if value.grad is not None], 0.1).step()
    after = {name: value.detach().clone() for name, value in group.items()}
    masks = select_parameters(before, after, 0.1)
    sft = SparseFineTuning.difference(
        before, after, masks, replaced={name: value.detach() for name, value in head.items()}
    )
    finished = NLI.load_model(tmp_path / "student").eval()
    sft.apply(finished)
    finished.save_pretrained(tmp_path / "model")
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    with torch.no_grad():
        torch.testing.assert_close(again(**batch()).logits, finished(**batch()).logits)


def test_an_unknown_family_names_those_that_are_known():
    with pytest.raises(BistilError, match=r"model type 'mamba'; known are bert, .*eurobert.*modernbert.*xlm-roberta"):
        family_of("mamba")
