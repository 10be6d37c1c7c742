import pyarrow as pa
import pytest
import torch
from transformers import BertConfig, BertForQuestionAnswering, set_seed
from transformers.modeling_outputs import QuestionAnsweringModelOutput

from bistil_core.data.formats.qa import FORMAT
from bistil_core.tasks import task_named
from bistil_core.tasks.qa import answer
from bistil_core.training.losses import prediction_loss
from tests.encoding.test_questions import TOKENIZER

QA = task_named("qa")


def table(*questions):
    """(context, gold answer, its start) of each question."""
    rows = [
        {"id": index, "context": context, "question": "a ?", "answers": [{"text": text, "answer_start": start}]}
        for index, (context, text, start) in enumerate(questions)
    ]
    return pa.Table.from_pylist([FORMAT.normalise(row) for row in rows], schema=FORMAT.schema)


LONG = " ".join("abcdefghij" * 3)
QUESTIONS = table(("b c d e", "c d", 2), (LONG, "i j a b", 16))


def scores_at(batch, first, last):
    start, end = torch.zeros(batch["input_ids"].shape), torch.zeros(batch["input_ids"].shape)
    for row, (begin, stop) in enumerate(zip(first, last, strict=True)):
        start[row, begin] = end[row, stop] = 5.0 if begin else 0.0
    return QuestionAnsweringModelOutput(start_logits=start, end_logits=end)


def test_the_gold_answer_is_found_over_all_windows():
    rows = QA.encode(QUESTIONS, TOKENIZER, 14)
    assert len(rows) > 3
    batch = QA.collator(TOKENIZER)(list(rows))
    outputs = scores_at(batch, rows["start_positions"], rows["end_positions"])
    counts = QA.count(QA.predict(outputs, batch), QUESTIONS, rows, "en")
    # Articles go from English answers, so "i j a b" is compared as "i j b".
    assert counts.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert {name: float(value) for name, value in QA.metrics(counts.sum(axis=0)).items()} == {
        "f1": 1.0,
        "exact_match": 1.0,
    }


def test_an_answer_that_a_window_lacks_is_nowhere_in_it():
    rows = QA.encode(QUESTIONS, TOKENIZER, 14)
    lacking = [row for row in rows if row["start_positions"] == 0]
    assert lacking
    for row in rows:
        words = TOKENIZER.convert_ids_to_tokens(row["input_ids"][row["start_positions"] : row["end_positions"] + 1])
        assert words in (["c", "d"], ["i", "j", "a", "b"], ["[CLS]"])
        assert (row["start_positions"] == 0) == (row["end_positions"] == 0)


def test_the_question_and_padding_are_never_the_answer():
    rows = QA.encode(QUESTIONS, TOKENIZER, 14)
    batch = QA.collator(TOKENIZER)(list(rows))
    everywhere = torch.full(batch["input_ids"].shape, 9.0).masked_fill(batch["possible"].bool(), 0.0)
    outputs = QuestionAnsweringModelOutput(start_logits=everywhere, end_logits=everywhere)
    for (first, last, score), row in zip(QA.predict(outputs, batch), rows, strict=True):
        assert 0 <= first <= last < len(row["token_starts"])
        assert score == 0.0


def test_a_half_right_answer_scores_its_words():
    rows = QA.encode(QUESTIONS, TOKENIZER, 40)
    counts = QA.count([(1, 1, 1.0), (2, 2, 1.0)], QUESTIONS, rows, "sw")
    assert counts[0].tolist() == [0.0, pytest.approx(2 / 3), 1.0]
    assert counts[1].tolist() == [0.0, 0.0, 1.0]


@pytest.fixture(scope="module")
def model():
    set_seed(0)
    return BertForQuestionAnswering(
        BertConfig(
            vocab_size=len(TOKENIZER), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, max_position_embeddings=64, pad_token_id=1,
        )
    ).eval()  # fmt: skip


def test_question_and_padding_change_no_distillation_loss_and_no_gradient(model):
    batch = QA.collator(TOKENIZER)(list(QA.encode(QUESTIONS, TOKENIZER, 20)))
    outside = batch["possible"] == 0
    assert outside.any()

    def loss_of(noise):
        model.zero_grad()
        outputs = model(**QA.inputs(batch, gold=False))
        teacher = QuestionAnsweringModelOutput(
            start_logits=outputs.start_logits.detach().flip(0).masked_fill(outside, noise),
            end_logits=outputs.end_logits.detach().flip(0).masked_fill(outside, noise),
        )
        pairs = zip(QA.distilled(outputs, batch), QA.distilled(teacher, batch), strict=True)
        loss = sum(prediction_loss(own, other, 2.0, counted) for (own, counted), (other, _) in pairs)
        loss.backward()
        return loss.detach(), model.qa_outputs.weight.grad.clone()

    (loss, gradient), (noisy, noisy_gradient) = loss_of(0.0), loss_of(50.0)
    assert torch.isfinite(loss)
    assert torch.equal(loss, noisy)
    assert torch.equal(gradient, noisy_gradient)


def test_answers_are_parts_of_their_contexts(model):
    found = answer(model, TOKENIZER, ["a ?", "b ?"], ["c d e", LONG], max_length=16)
    assert found[0] in "c d e"
    assert found[1] in LONG
    assert all(found)
