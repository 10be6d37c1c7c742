import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModel, set_seed

from bistil_core.data.examples import read_examples
from bistil_core.data.format import FieldError
from bistil_core.data.formats.dp import FORMAT, RELATIONS
from bistil_core.decoding.trees import best_tree, likeliest_heads
from bistil_core.errors import BistilError
from bistil_core.models.parser import ParserOutput, load_parser
from bistil_core.tasks import task_named
from bistil_core.tasks.dp import joined, parse
from bistil_core.training.losses import prediction_loss
from tests.training.test_trainer import tiny_config
from tests.word_tokenizer import TOKENIZER

DP = task_named("dp")
REAL = Path(os.environ.get("BISTIL_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")


def table(*sentences):
    """Sentences as lists of (head, relation)."""
    rows = [
        {
            "words": [f"w{index}" for index in range(len(words))],
            "heads": [head for head, _ in words],
            "relations": [relation for _, relation in words],
            "upos": ["X"] * len(words),
        }
        for words in sentences
    ]
    return pa.Table.from_pylist([FORMAT.normalise(row) for row in rows], schema=FORMAT.schema)


def perfect(batch):
    """Outputs that say what the gold labels of a batch say."""
    heads, relations = batch["heads"].clamp(min=0), batch["relations"].clamp(min=0)
    words = heads.shape[1]
    arcs = torch.nn.functional.one_hot(heads, words + 1).float()
    kinds = torch.nn.functional.one_hot(relations, len(RELATIONS)).float()
    return ParserOutput(arc_logits=arcs, relation_logits=kinds[:, :, None].expand(-1, -1, words + 1, -1))


def scores(examples, max_length, change=lambda outputs: None):
    rows = DP.encode(examples, TOKENIZER, max_length)
    batch = DP.collator(TOKENIZER)(list(rows))
    outputs = perfect(batch)
    change(outputs)
    counts = DP.count(DP.predict(outputs, batch), examples, rows, "en")
    return {name: float(value) for name, value in DP.metrics(counts.sum(axis=0)).items()}


SENTENCE = [(2, "nsubj"), (0, "root"), (2, "obj"), (3, "nmod:poss")]


def test_heads_and_relations_are_scored_over_all_words():
    examples = table(SENTENCE, [(0, "root")])
    assert scores(examples, 16) == {"las": 1.0, "uas": 1.0}

    def wrong(outputs):
        outputs.arc_logits[0, 3] = torch.tensor([0.0, 0.0, 9.0, 0.0, 0.0])
        outputs.relation_logits = outputs.relation_logits.clone()
        outputs.relation_logits[0, 0, :, 1] = 9.0

    assert scores(examples, 16, wrong) == {"las": 3 / 5, "uas": 4 / 5}


def test_a_sentence_in_two_windows_is_scored_whole_and_its_later_roots_depend_on_the_first():
    # Words 1 to 3 fill the first window, word 4 is alone in the second: its head is not there.
    examples = table([(2, "nsubj"), (0, "root"), (2, "obj"), (2, "punct")])
    rows = DP.encode(examples, TOKENIZER, 5)
    assert [row["heads"] for row in rows] == [[2, 0, 2], [-100]]
    assert [row["relations"] for row in rows][1] == [-100]
    predictions = [(np.array([2, 0, 2]), np.array([0, 35, 1])), (np.array([0]), np.array([34]))]
    heads, relations = joined(predictions, rows, 1)
    assert heads[0].tolist() == [2, 0, 2, 2]
    assert relations[0].tolist() == [0, 35, 1, 34]


def test_a_very_long_sentence_loses_no_word():
    examples = table([(0, "root"), *[(1, "dep")] * 599])
    rows = DP.encode(examples, TOKENIZER, 64)
    assert sum(len(row["heads"]) for row in rows) == 600
    batch = DP.collator(TOKENIZER)(list(rows))
    counts = DP.count(DP.predict(perfect(batch), batch), examples, rows, "en")
    assert counts[0, 2] == 600


def test_relations_without_subtype_are_learnt_and_unknown_ones_refused():
    (row,) = DP.encode(table(SENTENCE), TOKENIZER, 16)
    assert [RELATIONS[number] for number in row["relations"]] == ["nsubj", "root", "obj", "nmod"]
    with pytest.raises(FieldError, match=r"relations is 'subject', allowed: one of nsubj"):
        table([(0, "subject")])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    set_seed(0)
    AutoModel.from_config(tiny_config()).save_pretrained(folder)
    parser = load_parser(folder, RELATIONS, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in parser.parser.parameters():
            parameter.normal_()
    return parser


def test_padding_changes_no_distillation_loss_and_no_gradient(model):
    examples = table(SENTENCE, [(0, "root")], [(0, "root"), (1, "obj")])
    collate, rows = DP.collator(TOKENIZER), list(DP.encode(examples, TOKENIZER, 16))

    def loss_of(batch, noise):
        model.zero_grad()
        outputs = model(**DP.inputs(batch, gold=False))
        total = 0.0
        for logits, counted in DP.distilled(outputs, batch):
            teacher = torch.where(counted[..., None], logits.detach().flip(-1).clamp(min=-1e9), noise)
            total = total + prediction_loss(logits, teacher, 2.0, counted)
        total.backward()
        return total.detach(), model.parser.arc.grad.clone()

    together, gradient = loss_of(collate(rows), 0.0)
    noisy, noisy_gradient = loss_of(collate(rows), 7.0)
    assert torch.equal(together, noisy)
    assert torch.equal(gradient, noisy_gradient)


def test_sentences_are_parsed_into_trees(model):
    found = parse(model, TOKENIZER, [["w1", "w2", "w3"], ["w4"]], max_length=16)
    assert [len(words) for words in found] == [3, 1]
    assert [head for head, _ in found[0]].count(0) == 1
    assert found[1][0][0] == 0


def independent_scores(gold, heads, relations):
    """UAS and LAS counted from columns of text, without the code under test."""
    words = right = labelled = 0
    for sentence, found_heads, found_relations in zip(gold, heads, relations, strict=True):
        for line, head, relation in zip(sentence, found_heads, found_relations, strict=True):
            cells = line.split("\t")
            words += 1
            if int(cells[6]) == head:
                right += 1
                labelled += cells[7].split(":")[0] == relation
    return right / words, labelled / words


@pytest.mark.parametrize("treebank", ["UD_Maltese-MUDT", "UD_Faroese-FarPaHC"])
def test_scores_of_perturbed_real_trees_agree_with_an_independent_count(treebank):
    files = sorted((REAL / "ud" / treebank).glob("*test*.conllu")) if REAL.exists() else []
    if not files:
        pytest.skip("the real treebanks are not there (BISTIL_REAL_DATA)")
    examples, _ = read_examples(files[0], FORMAT, None)
    blocks = files[0].read_text(encoding="utf-8").strip().split("\n\n")
    gold = [[line for line in block.split("\n") if line.split("\t")[0].isdigit()] for block in blocks]
    generator = np.random.default_rng(0)
    predictions, shown_heads, shown_relations = [], [], []
    for heads, relations in zip(examples["heads"].to_pylist(), examples["relations"].to_pylist(), strict=True):
        moved = np.where(generator.random(len(heads)) < 0.3, generator.integers(0, len(heads) + 1, len(heads)), heads)
        kinds = np.array([RELATIONS.index(relation) for relation in relations])
        kinds = np.where(generator.random(len(kinds)) < 0.2, generator.integers(0, 37, len(kinds)), kinds)
        predictions.append((moved, kinds))
        shown_heads.append(moved.tolist())
        shown_relations.append([RELATIONS[kind] for kind in kinds])
    rows = {"sentence": range(len(examples))}
    found = DP.metrics(DP.count(predictions, examples, rows, "mt").sum(axis=0))
    uas, las = independent_scores(gold, shown_heads, shown_relations)
    assert found["uas"] == pytest.approx(uas, abs=1e-12)
    assert found["las"] == pytest.approx(las, abs=1e-12)
    assert 0.5 < las < uas < 0.9


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_predicted_trees_have_one_root(words, seed):
    generator = torch.Generator().manual_seed(seed)
    outputs = ParserOutput(
        arc_logits=torch.randn(1, words, words + 1, generator=generator),
        relation_logits=torch.randn(1, words, words + 1, 37, generator=generator),
    )
    ((heads, _),) = DP.predict(outputs, {"word_of_token": torch.arange(words)[None]})
    assert (heads == 0).sum() == 1


def test_greedy_decoding_takes_each_words_likeliest_head_and_may_close_a_cycle():
    arcs = torch.tensor([[[0.0, 99.0, 5.0, 0.0], [1.0, 4.0, 99.0, 0.0], [0.0, 2.0, 1.0, 99.0]]])
    outputs = ParserOutput(arc_logits=arcs, relation_logits=torch.zeros(1, 3, 4, 37))
    batch = {"word_of_token": torch.arange(3)[None]}
    ((greedy, _),) = DP.decoded_by("greedy").predict(outputs, batch)
    assert greedy.tolist() == [2, 1, 1]
    ((tree, _),) = DP.decoded_by(None).predict(outputs, batch)
    assert tree.tolist() == [2, 0, 1]
    with pytest.raises(BistilError, match="decoding is 'beam'; allowed: greedy"):
        DP.decoded_by("beam")
    with pytest.raises(BistilError, match="nli has one way only"):
        task_named("nli").decoded_by("greedy")


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_where_greedy_heads_are_a_tree_they_are_the_best_one(words, seed):
    scores = np.random.default_rng(seed).normal(size=(words, words + 1))
    greedy, tree = likeliest_heads(scores), best_tree(scores)

    def total(heads):
        return scores[np.arange(words), heads].sum()

    assert total(greedy) >= total(tree) - 1e-12
    assert (greedy != np.arange(1, words + 1)).all()
