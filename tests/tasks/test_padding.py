"""What a batch is padded to changes nothing: neither the gold loss, nor what is distilled, nor the predictions."""

import pyarrow as pa
import pytest
import torch
from transformers import AutoModel, set_seed

from bistil_core.data.formats import format_of
from bistil_core.miniature.examples import generator_of
from bistil_core.tasks import task_named
from bistil_core.training.losses import prediction_loss
from tests.training.test_trainer import tiny_config
from tests.word_tokenizer import TOKENIZER

MAX_LENGTH = 30
PER_WORD = {"heads", "relations"}
TASKS = ("nli", "ner", "dp", "qa", "pos")


def raw_examples(task):
    """Few examples, of unlike lengths, in words that the tokenizer has."""
    source = "dp" if task == "pos" else task
    rows = list(generator_of(source)("en", "train", 6, seed=1))
    return [{name: row[name] for name in ("words", "upos")} for row in rows] if task == "pos" else rows


@pytest.mark.parametrize("name", TASKS)
def test_full_padding_gives_what_dynamic_padding_gives(name, tmp_path):
    task, form = task_named(name), format_of(name)
    examples = pa.Table.from_pylist([form.normalise(row) for row in raw_examples(name)], schema=form.schema)
    set_seed(0)
    AutoModel.from_config(tiny_config()).save_pretrained(tmp_path)
    model = task.load_model(tmp_path, attn_implementation="eager").eval()
    rows = list(task.encode(examples, TOKENIZER, MAX_LENGTH))
    collate = task.collator(TOKENIZER)
    short = sorted(rows, key=lambda row: len(row["input_ids"]))[: len(rows) // 2]
    longest = max(rows, key=lambda row: len(row["input_ids"]))
    dynamic = collate(short)
    # The longest row comes along to stretch the batch, and is taken out again.
    full = {entry: value[: len(short)] for entry, value in collate([*short, longest]).items()}
    full |= {entry: full[entry][:, : dynamic[entry].shape[1]] for entry in PER_WORD & full.keys()}
    assert full["input_ids"].shape[1] > dynamic["input_ids"].shape[1]
    found = []
    for batch in (dynamic, full):
        model.zero_grad()
        outputs = model(**task.inputs(batch, gold=True))
        distilled = sum(
            prediction_loss(logits, 0.5 * logits.detach(), 2.0, mask) for logits, mask in task.distilled(outputs, batch)
        )
        loss = task.gold_loss(outputs, batch)
        (loss + distilled).backward()
        gradient = torch.cat([each.grad.flatten() for each in model.parameters() if each.grad is not None])
        with torch.no_grad():
            predicted = task.predict(model(**task.inputs(batch, gold=True)), batch)
        found.append((loss.item(), distilled.item(), gradient, predicted))
    (loss, distilled, gradient, predicted), (other_loss, other_distilled, other_gradient, also) = found
    assert other_loss == pytest.approx(loss, rel=1e-5)
    assert other_distilled == pytest.approx(distilled, rel=1e-5)
    torch.testing.assert_close(other_gradient, gradient, rtol=1e-4, atol=1e-6)
    assert str(also) == str(predicted)
