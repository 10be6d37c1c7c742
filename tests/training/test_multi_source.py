"""A teacher of several source languages: each batch wears its language's fine-tuning, and theta keeps its bits."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from bistil_core.evaluation.finished import load_finished
from bistil_core.files import read_json
from bistil_core.models.loading import load_encoder, load_tokenizer
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.models.sparse_overlay import SparseOverlay
from bistil_core.scoring import LabelledData, score_model
from bistil_core.settings.checkpoints import CheckpointSettings
from bistil_core.settings.tasks import TeacherSettings
from bistil_core.tasks import task_named
from bistil_core.training.checkpoints import Checkpoints
from bistil_core.training.multi_source import in_several_languages
from bistil_core.training.objectives import GoldLabels
from bistil_core.training.on_task import fine_tune_on_task
from tests.pipeline.tiny_steps import FINE_TUNING, multi_source_teacher, write_tiny_inputs
from tests.word_tokenizer import TOKENIZER

NLI = task_named("nli")
SELDOM = CheckpointSettings(every_minutes=60)
MARK = "embeddings.LayerNorm.bias"
SETTINGS = TeacherSettings(**{**FINE_TUNING, "dense_epochs": 1, "sparse_epochs": 1})


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_tiny_inputs(folder)
    return folder


class Looking(GoldLabels):
    """The gold loss, which notes what the model wears and which language the batch is in."""

    def __init__(self):
        super().__init__(NLI)
        self.seen = []

    def __call__(self, model, batch):
        assert "language" not in batch
        worn = float(model.base_model.get_parameter(MARK)[3])
        words = batch["input_ids"][batch["input_ids"] > TOKENIZER.unk_token_id]
        self.seen.append((round(worn / 100), int(words.min())))
        return super().__call__(model, batch)


def test_each_batch_wears_the_fine_tuning_of_its_language_and_theta_never_has_it(inputs, tmp_path):
    tokenizer = load_tokenizer(inputs / "base")
    model = NLI.load_model(inputs / "base")
    model.base_model.get_parameter(MARK).requires_grad_(False)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    mark = before[f"bert.{MARK}"]
    marks = {}
    for language, height in (("en", 100.0), ("sw", 200.0)):
        place = torch.zeros(len(mark), dtype=torch.bool)
        place[3] = True
        marks[language] = SparseFineTuning.difference({MARK: mark}, {MARK: mark + height * place}, {MARK: place})
    looking = Looking()
    data = in_several_languages(
        NLI, {"en": inputs / "pairs", "sw": inputs / "pairs_sw"}, tokenizer, SETTINGS, 1, SparseOverlay(model, marks)
    )
    sft, records = fine_tune_on_task(
        model, NLI, data, SETTINGS, 1, looking, Checkpoints(tmp_path / "checkpoints", 60), "test"
    )
    steps = [record["steps"] for record in records.values()]
    assert steps == [40, 40], "160 and 160 examples in batches of 8"
    assert len(looking.seen) == 80
    middle = TOKENIZER.convert_tokens_to_ids("w20")
    assert {(worn, first >= middle) for worn, first in looking.seen} == {(1, False), (2, True)}
    after = dict(model.named_parameters())
    assert torch.equal(after[f"bert.{MARK}"], mark)
    changed = {
        name: (indices.numel(), before[f"bert.{name}"].numel()) for name, (indices, _) in sft.differences.items()
    }
    assert 0 < sum(count for count, _ in changed.values()) <= 0.2 * sum(size for _, size in changed.values())
    for name, (indices, _) in sft.differences.items():
        outside = torch.ones(before[f"bert.{name}"].numel(), dtype=torch.bool)
        outside[indices] = False
        same = before[f"bert.{name}"].view(-1)[outside], after[f"bert.{name}"].detach().view(-1)[outside]
        assert torch.equal(*same), name


def test_the_saved_teacher_is_theta_plus_phi_source_plus_phi_task(inputs, tmp_path):
    multi_source_teacher(inputs, tmp_path, SELDOM, dense_epochs=1, sparse_epochs=1)
    theta = dict(load_encoder(inputs / "base").named_parameters())
    en = SparseFineTuning.load(inputs / "sft_en.safetensors")
    found = load_finished(
        NLI, inputs / "base", tmp_path / "multi_source_teacher/sft.safetensors", None, inputs / "sft_en.safetensors"
    )
    teacher = NLI.load_model(tmp_path / "multi_source_teacher")
    task = SparseFineTuning.load(tmp_path / "multi_source_teacher/sft.safetensors")
    assert task.density == pytest.approx(0.2, rel=0.05)
    for name, value in teacher.named_parameters():
        torch.testing.assert_close(value, found.get_parameter(name), rtol=0, atol=1e-6)
    for name, (indices, _) in task.differences.items():
        untouched = torch.ones(theta[name].numel(), dtype=torch.bool)
        untouched[indices] = False
        untouched[en.differences[name][0]] = False
        saved = teacher.base_model.get_parameter(name).detach().view(-1)
        assert torch.equal(saved[untouched], theta[name].detach().view(-1)[untouched])


def test_the_validation_adds_up_what_each_language_scores_with_its_own(inputs):
    tokenizer = load_tokenizer(inputs / "base")
    sfts = {language: SparseFineTuning.load(inputs / f"sft_{language}.safetensors") for language in ("en", "sw")}
    folders = {"en": inputs / "pairs", "sw": inputs / "pairs_sw"}
    torch.manual_seed(0)
    model = NLI.load_model(inputs / "base")
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    found = in_several_languages(NLI, folders, tokenizer, SETTINGS, 1, SparseOverlay(model, sfts)).score(model)
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())
    right, losses = 0, []
    for language, folder in folders.items():
        sfts[language].apply(model)
        examples = pq.read_table(folder / "validation.parquet")
        counts, loss = score_model(model, LabelledData.encoded(NLI, examples, tokenizer, 24, language), 8)
        sfts[language].revert(model)
        right += counts.sum(axis=0)[[0, 4, 8]].sum()
        losses.append(loss)
    assert found["accuracy"] == pytest.approx(right / 40)
    assert found["loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)


def test_the_same_seed_gives_the_same_bytes(inputs, tmp_path):
    for name in ("once", "again"):
        multi_source_teacher(inputs, tmp_path / name, SELDOM, dense_epochs=0.5, sparse_epochs=0.5)
    once, again = (
        {path.name: path.read_bytes() for path in (tmp_path / name / "multi_source_teacher").iterdir()}
        for name in ("once", "again")
    )
    assert once == again
    assert read_json(tmp_path / "once/multi_source_teacher/training.json")["sparse"]["steps"] == 20
