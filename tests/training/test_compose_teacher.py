"""Teachers from published sparse fine-tunings equal the same composed by hand; heads that do not fit are refused."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import BertForSequenceClassification, BertForTokenClassification, BertModel

from bistil_core.data.formats.dp import RELATIONS
from bistil_core.data.formats.ner import LABELS
from bistil_core.errors import BistilError
from bistil_core.evaluation.finished import load_finished
from bistil_core.files import read_json
from bistil_core.models.loading import load_encoder, load_tokenizer
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.models.student import build_student
from bistil_core.settings.tasks import Phase2Settings
from bistil_core.tasks import task_named
from bistil_core.tasks.dp import parse
from bistil_core.training.compose_teacher import compose_teacher
from bistil_core.training.distil_phase2 import distil_phase2
from tests.pipeline.tiny_steps import write_tiny_inputs

SORTED = sorted(LABELS)
PUBLISHED_RELATIONS = ["_", *sorted(RELATIONS)]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_tiny_inputs(folder)
    return folder


def published(folder, model_class=BertForTokenClassification, labels=7, seed=0):
    """A sparse fine-tuning of the base in `folder` with the head of a model class, and that model with it."""
    torch.manual_seed(seed)
    model = model_class.from_pretrained(folder / "base", num_labels=labels).eval()
    original = {name: value.detach().clone() for name, value in model.named_parameters()}
    with torch.no_grad():
        for name, value in model.named_parameters():
            moved = torch.rand(value.shape) < (0.1 if name.startswith("bert.") else 2.0)
            value += torch.randn(value.shape) * moved
    group = {name: value for name, value in model.named_parameters() if name.startswith("bert.")}
    head = {name: value for name, value in model.named_parameters() if name not in group}
    masks = {name: torch.ones_like(value, dtype=torch.bool) for name, value in group.items()}
    return SparseFineTuning.difference({name: original[name] for name in group}, group, masks, replaced=head), model


def logits(model, folder):
    batch = load_tokenizer(folder / "base")(["w1 w2 w3", "w4 w5 w6"], return_tensors="pt")
    with torch.no_grad():
        return model(**batch).logits


def test_a_published_task_sft_is_a_teacher_with_its_labels_in_our_order(inputs, tmp_path):
    sft, by_hand = published(inputs)
    sft.save_composable(tmp_path / "hub")
    compose_teacher(inputs / "base", tmp_path / "hub", tmp_path / "teacher", "ner", SORTED)
    teacher = task_named("ner").load_model(tmp_path / "teacher").eval()
    expected = logits(by_hand, inputs)[..., [SORTED.index(label) for label in LABELS]]
    torch.testing.assert_close(logits(teacher, inputs), expected)
    assert teacher.config.id2label == dict(enumerate(LABELS))
    record = read_json(tmp_path / "teacher" / "training.json")
    assert (record["task_sft"], record["labels"]) == ({"path": str(tmp_path / "hub")}, SORTED)
    assert record["tuned_parameters"] == sft.tuned_parameters


def test_it_is_learnt_at_the_base_and_stands_beside_any_language(inputs, tmp_path):
    task_sft, _ = published(inputs, BertForSequenceClassification, labels=3)
    task_sft.save(tmp_path / "task.safetensors")
    for seed, language in ((1, "en"), (2, "sw")):
        published(inputs, seed=seed)[0].without_replacements().save(tmp_path / language)
    compose_teacher(
        inputs / "base", tmp_path / "task.safetensors", tmp_path / "teacher", "nli", language_sft=tmp_path / "en"
    )
    task = task_named("nli")
    for language in ("en", "sw"):
        by_hand = BertForSequenceClassification.from_pretrained(inputs / "base", num_labels=3).eval()
        SparseFineTuning.load(tmp_path / language).apply(by_hand)
        task_sft.apply(by_hand)
        found = load_finished(task, inputs / "base", tmp_path / "teacher/sft.safetensors", None, tmp_path / language)
        torch.testing.assert_close(logits(found, inputs), logits(by_hand, inputs))
        if language == "en":
            teacher = task.load_model(tmp_path / "teacher").eval()
            torch.testing.assert_close(logits(teacher, inputs), logits(by_hand, inputs))


def test_the_same_file_gives_the_same_bytes(inputs, tmp_path):
    published(inputs)[0].save_composable(tmp_path / "hub")
    for name in ("once", "again"):
        compose_teacher(inputs / "base", tmp_path / "hub", tmp_path / name, "ner", SORTED)
    once, again = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("once", "again"))
    assert once == again
    assert {"config.json", "model.safetensors", "sft.safetensors", "tokenizer.json", "training.json"} <= once.keys()


@pytest.mark.parametrize(
    ("task", "labels", "says"),
    [
        ("dp", None, "its task head is classifier.bias, classifier.weight; that of DependencyParser is parser.arc"),
        ("qa", None, "of which it lacks qa_outputs.bias, qa_outputs.weight; give a sparse fine-tuning of this task"),
        ("nli", None, r"classifier.(weight|bias) has shape \(7"),
        ("ner", [*SORTED, "B-DATE"], "has 7 rows for the 8 labels B-LOC"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(inputs, tmp_path, task, labels, says):
    published(inputs)[0].save_composable(tmp_path / "hub")
    with pytest.raises(BistilError, match=says):
        compose_teacher(inputs / "base", tmp_path / "hub", tmp_path / "teacher", task, labels)
    assert not (tmp_path / "teacher").exists()


def test_a_file_without_a_head_is_refused(inputs, tmp_path):
    published(inputs)[0].without_replacements().save_composable(tmp_path / "hub")
    with pytest.raises(BistilError, match="its task head is not there; that of BertForTokenClassification is"):
        compose_teacher(inputs / "base", tmp_path / "hub", tmp_path / "teacher", "ner")


class PublishedParser:
    """A task SFT as composable-sft's parser leaves it, and what that parser says: computed with 1s appended."""

    def __init__(self, folder):
        torch.manual_seed(3)
        self.encoder = BertModel.from_pretrained(folder / "base").eval()
        original = {f"bert.{name}": value.detach().clone() for name, value in self.encoder.named_parameters()}
        with torch.no_grad():
            for value in self.encoder.parameters():
                value += torch.randn(value.shape) * (torch.rand(value.shape) < 0.1)
        tuned = {f"bert.{name}": value for name, value in self.encoder.named_parameters()}
        width = self.encoder.config.hidden_size
        self.arcs, self.relations = (
            torch.randn(outputs, width + 1, width + biased)
            for outputs, biased in ((1, 0), (len(PUBLISHED_RELATIONS), 1))
        )
        head = {"biaffine_arcs.weight": self.arcs, "biaffine_rels.weight": self.relations}
        masks = {name: torch.ones_like(value, dtype=torch.bool) for name, value in tuned.items()}
        self.sft = SparseFineTuning.difference(original, tuned, masks, replaced=head)

    @torch.no_grad()
    def __call__(self, input_ids, attention_mask):
        """Arc and relation logits where each token but the first and the last is a word."""
        encoded = self.encoder(input_ids, attention_mask)
        words = encoded.last_hidden_state[:, 1:-1]
        heads = torch.cat([encoded.pooler_output[:, None], words], dim=1)
        with_1 = (functional.pad(each, (0, 1), value=1.0) for each in (words, heads))
        words, biased_heads = with_1
        arcs = torch.einsum("bxi,oij,byj->bxy", words, self.arcs, heads)
        return arcs, torch.einsum("bxi,oij,byj->bxyo", words, self.relations, biased_heads)


def write_table(folder, split, columns):
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), folder / f"{split}.parquet")


def sentences(folder):
    """Two sentences of three words, each with a gold tree."""
    batch = dict(load_tokenizer(folder / "base")(["w1 w2 w3", "w4 w5 w6"], return_tensors="pt"))
    batch = {name: batch[name] for name in ("input_ids", "attention_mask")}
    word_of_token = torch.tensor([[-1, 0, 1, 2, -1]] * 2)
    gold = {"heads": torch.tensor([[2, 0, 2], [0, 1, 2]]), "relations": torch.full((2, 3), RELATIONS.index("nsubj"))}
    return batch, {**batch, "word_of_token": word_of_token}, gold


def test_the_published_parser_is_a_teacher_with_the_scores_that_it_has(inputs, tmp_path):
    published_parser = PublishedParser(inputs)
    published_parser.sft.save_composable(tmp_path / "hub")
    compose_teacher(inputs / "base", tmp_path / "hub", tmp_path / "teacher", "dp", PUBLISHED_RELATIONS)
    task = task_named("dp")
    plain, batch, _ = sentences(inputs)
    arcs, relations = published_parser(**plain)
    others = ~torch.eye(3, 4, dtype=torch.bool).roll(1, dims=1)
    for teacher in (
        task.load_model(tmp_path / "teacher").eval(),
        load_finished(task, inputs / "base", tmp_path / "teacher" / "sft.safetensors"),
    ):
        with torch.no_grad():
            found = teacher(**batch)
        torch.testing.assert_close(found.arc_logits[:, others], arcs[:, others], rtol=1e-4, atol=1e-4)
        in_our_order = relations[..., [PUBLISHED_RELATIONS.index(relation) for relation in RELATIONS]]
        torch.testing.assert_close(found.relation_logits, in_our_order, rtol=1e-4, atol=1e-4)


def test_what_the_published_parser_never_learnt_of_roots_a_student_has_from_the_gold_tree(inputs, tmp_path):
    published_parser = PublishedParser(inputs)
    published_parser.sft.save_composable(tmp_path / "hub")
    compose_teacher(inputs / "base", tmp_path / "hub", tmp_path / "teacher", "dp", PUBLISHED_RELATIONS)
    task, (_, batch, gold) = task_named("dp"), sentences(inputs)
    with torch.no_grad():
        outputs = task.load_model(tmp_path / "teacher").eval()(**batch)
    (arcs, counted), (relations, _) = task.distilled(outputs, {**batch, **gold})
    roots = gold["heads"] == 0
    assert counted.all()
    heads = (arcs / 2).softmax(-1)
    assert torch.equal(heads[roots], functional.one_hot(torch.zeros(2, dtype=torch.long), 4).float())
    assert (heads[~roots][:, 0] == 0).all()
    assert torch.equal(arcs[~roots][:, 1:], outputs.arc_logits[~roots][:, 1:])
    kinds = (relations / 2).softmax(-1)
    assert (kinds[roots][:, RELATIONS.index("root")] == 1).all()
    assert (kinds[~roots].max(-1).values < 1).all()
    for heads, kinds in task.predict(outputs, batch):
        assert [RELATIONS[kind] for kind in kinds[heads == 0]] == ["root"]


def test_the_published_parser_needs_the_base_s_pooler(inputs, tmp_path):
    PublishedParser(inputs).sft.save_composable(tmp_path / "hub")
    (tmp_path / "base").mkdir()
    for file in (inputs / "base").iterdir():
        (tmp_path / "base" / file.name).write_bytes(file.read_bytes())
    weights = load_file(inputs / "base" / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "pooler" not in name}
    save_file(kept, tmp_path / "base" / "model.safetensors", {"format": "pt"})
    with pytest.raises(BistilError, match=r"lacks bert.pooler.dense.bias, .*; give a base model with its pooler"):
        compose_teacher(tmp_path / "base", tmp_path / "hub", tmp_path / "teacher", "dp", PUBLISHED_RELATIONS)


def test_a_student_of_the_published_parser_knows_roots(inputs, tmp_path):
    """In these sentences the root is w1, wherever it stands; no teacher could say so."""
    PublishedParser(inputs).sft.save_composable(tmp_path / "hub")
    compose_teacher(inputs / "base", tmp_path / "hub", tmp_path / "teacher", "dp", PUBLISHED_RELATIONS)
    student = build_student(load_encoder(inputs / "base"), 2)
    student.save_pretrained(tmp_path / "student")
    load_tokenizer(inputs / "base").save_pretrained(tmp_path / "student")
    generator = np.random.default_rng(0)
    for split, count in (("train", 200), ("validation", 40)):
        orders = [generator.permutation(4) for _ in range(count)]
        columns = {
            "words": [[f"w{number + 1}" for number in order] for order in orders],
            "heads": [[0 if number == 0 else int((order == 0).argmax()) + 1 for number in order] for order in orders],
            "relations": [["root" if number == 0 else "obj" for number in order] for order in orders],
            "upos": [["X"] * 4] * count,
        }
        write_table(tmp_path / "data", split, columns)
    settings = Phase2Settings(
        density=1.0, dense_epochs=6, sparse_epochs=1, batch_size=8, learning_rate=5e-3, max_length=24, evaluate_every=50
    )
    distil_phase2(
        tmp_path / "student", tmp_path / "teacher", inputs / "vocabulary", tmp_path / "data",
        tmp_path / "sft.safetensors", tmp_path / "record.json", "dp", "en", settings, seed=0,
    )  # fmt: skip
    model = load_finished(task_named("dp"), tmp_path / "student", tmp_path / "sft.safetensors")
    for sentence in (["w3", "w1", "w2", "w4"], ["w4", "w2", "w3", "w1"]):
        (tree,) = parse(model, load_tokenizer(inputs / "base"), [sentence])
        assert tree[sentence.index("w1")] == (0, "root")
