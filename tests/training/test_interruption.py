import os
import signal

import pytest
import torch
from transformers import BertForSequenceClassification, set_seed

from bistil_core.training.checkpoints import Checkpoints
from tests.training.test_trainer import accuracy, learn, tiny_config


def fresh_model():
    set_seed(1)
    return BertForSequenceClassification(tiny_config(num_labels=2))


def test_a_signal_in_a_validation_ends_it_and_the_validation_is_made_up_for(tmp_path, caplog):
    whole = fresh_model()
    expected = learn(tmp_path / "whole", whole, 60)
    validations = 0

    def told_to_go(model):
        nonlocal validations
        validations += 1
        if validations == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return accuracy(model)

    with pytest.raises(SystemExit) as end:
        learn(tmp_path, fresh_model(), 60, score=told_to_go)
    assert end.value.code == 128 + signal.SIGTERM
    assert "stopped by SIGTERM after step 40 of 60, which is saved" in caplog.text
    assert Checkpoints(tmp_path / "checkpoints").newest() == 40
    model = fresh_model()
    assert learn(tmp_path, model, 60) == expected
    assert all(torch.equal(value, whole.state_dict()[name]) for name, value in model.state_dict().items())
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_validating_more_often_changes_no_weights(tmp_path):
    weights = []
    for every in (5, 30):
        model = fresh_model()
        learn(tmp_path / str(every), model, 30, evaluate_every=every, score=lambda _: {"accuracy": 1.0})
        weights.append(model.state_dict())
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_a_training_that_has_ended_is_not_done_again(tmp_path):
    model = fresh_model()
    record = learn(tmp_path, model, 20)

    def never(model, batch):
        raise AssertionError("it trains again")

    again = fresh_model()
    assert learn(tmp_path, again, 20, never) == record
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in again.state_dict().items())
