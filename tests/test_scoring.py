import numpy as np
import pyarrow as pa
import pytest
import torch
from transformers import BertForSequenceClassification, set_seed

from bistil_core.scoring import LabelledData, score_model
from bistil_core.tasks import task_named
from tests.training.test_trainer import tiny_config
from tests.word_tokenizer import TOKENIZER

NLI = task_named("nli")


def pairs(count):
    generator = np.random.default_rng(0)

    def sentence():
        return " ".join(f"w{number}" for number in generator.integers(1, 30, size=generator.integers(1, 12)))

    return pa.table(
        {
            "premise": [sentence() for _ in range(count)],
            "hypothesis": [sentence() for _ in range(count)],
            "label": pa.array(generator.integers(0, 3, size=count), pa.int8()),
        }
    )


def model():
    set_seed(0)
    return BertForSequenceClassification(tiny_config(num_labels=3)).eval()


def test_every_example_gets_its_own_prediction_whatever_the_batches():
    data = LabelledData.encoded(NLI, pairs(40), TOKENIZER, 32, "en")
    classifier = model()
    with torch.no_grad():
        alone = [classifier(**data.collate([row])) for row in data.rows]
    expected = NLI.count([int(outputs.logits.argmax()) for outputs in alone], data.examples, data.rows, "en")
    for batch_size in (1, 7, 64):
        counts, loss = score_model(classifier, data, batch_size)
        assert np.array_equal(counts, expected)
        assert loss == pytest.approx(np.mean([float(outputs.loss) for outputs in alone]), rel=1e-5)


def test_scoring_draws_no_random_numbers_and_leaves_the_mode_as_it_was():
    data = LabelledData.encoded(NLI, pairs(5), TOKENIZER, 32, "en")
    classifier = model().train()
    state = torch.get_rng_state()
    first, again = (score_model(classifier, data, 2)[1] for _ in range(2))
    assert first == again
    assert classifier.training
    assert torch.equal(torch.get_rng_state(), state)
