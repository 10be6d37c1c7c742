import numpy as np
import pyarrow as pa
import pytest
import torch
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score
from transformers.modeling_outputs import TokenClassifierOutput

from bistil_core.data.formats.ner import FORMAT, LABELS
from bistil_core.tasks import task_named
from tests.word_tokenizer import TOKENIZER

NER = task_named("ner")


def table(sentences):
    """Sentences as lists of tag names, with a word for each."""
    rows = [
        {"tokens": [f"w{index}" for index in range(len(tags))], "tags": [LABELS.index(tag) for tag in tags]}
        for tags in sentences
    ]
    return pa.Table.from_pylist(rows, schema=FORMAT.schema)


def score(gold, predicted):
    rows = Dataset.from_dict({"sentence": range(len(gold))})
    predictions = [[LABELS.index(tag) for tag in tags] for tags in predicted]
    counts = NER.count(predictions, table(gold), rows, "en")
    return {name: float(value) for name, value in NER.metrics(counts.sum(axis=0)).items()}


def test_spans_count_only_whole_and_of_the_right_type():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"]]
    found = score(gold, [["B-PER", "O", "O", "B-LOC"], ["B-ORG", "B-LOC"]])
    # Predicted: PER (too short), LOC (right), ORG (wrong place), LOC (wrong type); gold: three.
    assert found["precision"] == pytest.approx(1 / 4)
    assert found["recall"] == pytest.approx(1 / 3)
    assert found["f1"] == pytest.approx(2 / 7)
    assert (found["f1_per"], found["f1_org"], found["f1_loc"]) == (0.0, 0.0, pytest.approx(2 / 3))


def test_an_inside_tag_without_a_beginning_begins_an_entity_as_conlleval_has_it():
    gold = [["B-PER", "B-PER", "O", "B-LOC", "I-LOC"]]
    assert score(gold, [["I-PER", "B-PER", "O", "I-LOC", "I-LOC"]])["f1"] == 1.0
    # I- of another type ends the one before it and begins its own.
    assert score([["B-PER", "B-LOC"]], [["B-PER", "I-LOC"]])["f1"] == 1.0


def test_nothing_found_scores_nothing():
    assert score([["B-PER", "O"]], [["O", "O"]]) == dict.fromkeys(
        ("f1", "precision", "recall", "f1_per", "f1_org", "f1_loc"), 0.0
    )


tags = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=12)


@pytest.mark.filterwarnings("ignore")
@given(st.lists(tags, min_size=1, max_size=8))
def test_scores_agree_with_seqeval(sentences):
    gold, predicted = ([[pair[side] for pair in sentence] for sentence in sentences] for side in (0, 1))
    found = score(gold, predicted)
    for name, reference in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        assert found[name] == pytest.approx(reference(gold, predicted, zero_division=0), abs=1e-9)


def test_a_long_sentence_is_read_in_windows_and_scored_whole():
    examples = table([["O"] * 7 + ["B-PER", "I-PER", "O"]])
    rows = NER.encode(examples, TOKENIZER, 10)
    assert [len(row["input_ids"]) for row in rows] == [10, 4]
    batch = NER.collator(TOKENIZER)(list(rows))
    logits = torch.nn.functional.one_hot(batch["labels"].clamp(min=0), len(LABELS)).float()
    predictions = NER.predict(TokenClassifierOutput(logits=logits), batch)
    assert list(map(len, predictions)) == [8, 2]
    counts = NER.count(predictions, examples, rows, "en")
    assert NER.metrics(counts.sum(axis=0))["f1"] == 1.0


def test_only_first_sub_words_are_distilled():
    rows = NER.encode(table([["B-PER", "O"], ["O"]]), TOKENIZER, 10)
    batch = NER.collator(TOKENIZER)(list(rows))
    ((logits, counted),) = NER.distilled(TokenClassifierOutput(logits=torch.zeros(2, 4, 7)), batch)
    assert logits.shape == (2, 4, 7)
    assert counted.tolist() == [[False, True, True, False], [False, True, False, False]]


def test_totals_can_be_resampled_at_once():
    totals = np.random.default_rng(0).integers(0, 9, size=(5, 9)).astype(float)
    together = NER.metrics(totals)
    for row in range(5):
        assert {name: value[row] for name, value in together.items()} == NER.metrics(totals[row])
