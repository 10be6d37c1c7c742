import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from bistil_core.tasks import task_named
from tests.word_tokenizer import TOKENIZER

NLI = task_named("nli")


def metrics(labels, predicted):
    counts = NLI.count(predicted, pa.table({"label": pa.array(labels, pa.int8())}), None, "en")
    assert counts.shape == (len(labels), 9)
    return NLI.metrics(counts.sum(axis=0))


def test_metrics_are_those_of_the_confusion_matrix():
    # Rows of the confusion matrix: entailment 3 right of 4, neutral 1 of 2, contradiction 0 of 2 (both neutral).
    found = metrics([0, 0, 0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 1, 0, 1, 1])
    assert found["accuracy"] == 0.5
    assert found["macro_f1"] == pytest.approx((2 * 3 / (4 + 4) + 2 * 1 / (2 + 4) + 0.0) / 3)


def test_a_label_that_never_occurs_counts_as_zero():
    assert metrics([0, 0], [0, 0])["macro_f1"] == pytest.approx(1 / 3)


@given(pairs=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60))
def test_metrics_agree_with_scikit_learn(pairs):
    labels, predicted = map(list, zip(*pairs, strict=True))
    found = metrics(labels, predicted)
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, predicted), abs=1e-12)
    f1 = f1_score(labels, predicted, average="macro", labels=[0, 1, 2], zero_division=0.0)
    assert found["macro_f1"] == pytest.approx(f1, abs=1e-12)


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
