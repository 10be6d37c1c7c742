import pyarrow as pa
import pytest
import torch
from transformers.modeling_outputs import TokenClassifierOutput

from bistil_core.data.format import FieldError
from bistil_core.data.formats.dp import UPOS
from bistil_core.data.formats.pos import FORMAT
from bistil_core.tasks import task_named
from tests.word_tokenizer import TOKENIZER

POS = task_named("pos")


def test_the_share_of_words_tagged_right():
    rows = [FORMAT.normalise({"words": ["w1", "w2"], "upos": ["NOUN", "VERB"]})]
    rows.append(FORMAT.normalise({"words": ["w3"], "upos": ["X"]}))
    examples = pa.Table.from_pylist(rows, schema=FORMAT.schema)
    encoded = POS.encode(examples, TOKENIZER, 10)
    batch = POS.collator(TOKENIZER)(list(encoded))
    right = torch.nn.functional.one_hot(batch["labels"].clamp(min=0), len(UPOS)).float()
    right[0, 1] = right[0, 1].roll(1)
    counts = POS.count(POS.predict(TokenClassifierOutput(logits=right), batch), examples, encoded, "en")
    assert counts.tolist() == [[1, 2], [1, 1]]
    assert POS.metrics(counts.sum(axis=0))["accuracy"] == pytest.approx(2 / 3)


def test_an_unknown_part_of_speech_is_refused():
    with pytest.raises(FieldError, match="upos is 'NN', allowed: ADJ"):
        FORMAT.normalise({"words": ["w1"], "upos": ["NN"]})
