import numpy as np
import pyarrow as pa
import pytest

from bistil_core.tasks import task_named
from tests.word_tokenizer import TOKENIZER

NLI = task_named("nli")


def test_metrics_are_those_of_the_confusion_matrix():
    # Rows of the confusion matrix: entailment 3 right of 4, neutral 1 of 2, contradiction 0 of 2 (both neutral).
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    predicted = np.array([0, 0, 0, 1, 1, 0, 1, 1])
    metrics = NLI.metrics(np.eye(3)[predicted], labels)
    assert metrics["accuracy"] == 0.5
    f1 = (2 * 3 / (4 + 4) + 2 * 1 / (2 + 4) + 0.0) / 3
    assert metrics["macro_f1"] == pytest.approx(f1)


def test_a_label_that_never_occurs_counts_as_zero():
    assert NLI.metrics(np.eye(3)[[0, 0]], np.array([0, 0]))["macro_f1"] == pytest.approx(1 / 3)


def test_pairs_are_encoded_together_and_the_longer_sentence_is_cut_first():
    table = pa.table({"premise": ["w1 w2 w3 w4 w5 w6"], "hypothesis": ["w7 w8"], "label": pa.array([2], pa.int8())})
    whole = NLI.encode(table, TOKENIZER, 32)[0]
    assert whole["labels"] == 2
    words = TOKENIZER.convert_ids_to_tokens(whole["input_ids"])
    assert [word for word in words if word.startswith("w")] == [f"w{number}" for number in range(1, 9)]
    cut = NLI.encode(table, TOKENIZER, len(whole["input_ids"]) - 3)[0]
    kept = [word for word in TOKENIZER.convert_ids_to_tokens(cut["input_ids"]) if word.startswith("w")]
    assert kept == ["w1", "w2", "w3", "w7", "w8"]


def test_a_batch_is_padded_to_its_own_longest_example():
    table = pa.table({"premise": ["w1", "w1 w2 w3"], "hypothesis": ["w4", "w5"], "label": pa.array([0, 1], pa.int8())})
    encoded = NLI.encode(table, TOKENIZER, 32)
    batch = NLI.collator(TOKENIZER)([encoded[0], encoded[1]])
    assert batch["input_ids"].shape[1] == len(encoded[1]["input_ids"])
    assert batch["attention_mask"].sum(1).tolist() == [len(encoded[0]["input_ids"]), len(encoded[1]["input_ids"])]
    assert (batch["input_ids"][0][batch["attention_mask"][0] == 0] == TOKENIZER.pad_token_id).all()
