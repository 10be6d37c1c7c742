import copy
import io

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from bistil_core.errors import BistilError
from bistil_core.training.sparse_optimiser import SparseAdamW

DENSITY = 0.1


def network() -> torch.nn.Sequential:
    torch.manual_seed(1)
    return torch.nn.Sequential(
        torch.nn.Embedding(30, 8), torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 4)
    )


def masks_of(model: torch.nn.Sequential) -> dict[str, torch.Tensor]:
    """For all but the last layer, which is the head; one tensor has nothing selected."""
    generator = torch.Generator().manual_seed(2)
    masks = {
        name: torch.rand(value.shape, generator=generator) < DENSITY
        for name, value in model.named_parameters()
        if not name.startswith("3.")
    }
    masks["1.bias"].zero_()
    return masks


def sparse_optimiser(model: torch.nn.Sequential, **options) -> SparseAdamW:
    masks, parameters = masks_of(model), dict(model.named_parameters())
    head = [value for name, value in parameters.items() if name not in masks]
    return SparseAdamW(
        [{"params": [parameters[name] for name in masks], "masks": list(masks.values())}, {"params": head}],
        **options,
    )


def backward(model: torch.nn.Sequential, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    inputs = torch.randint(30, (16, 5), generator=generator)
    model(inputs).square().sum(-1).mean().backward()


@pytest.mark.parametrize("max_grad_norm", [None, 0.05])
def test_fifty_steps_equal_masked_dense_adamw(max_grad_norm):
    options = {"lr": 1e-2, "betas": (0.8, 0.99), "eps": 1e-7, "weight_decay": 0.1}
    sparse_model, dense_model = network(), network()
    base = copy.deepcopy(dense_model.state_dict())
    masks = masks_of(dense_model)
    sparse = sparse_optimiser(sparse_model, max_grad_norm=max_grad_norm, **options)
    dense = torch.optim.AdamW(dense_model.parameters(), **options)
    for optimiser in (sparse, dense):
        optimiser.schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, 60)
    for step in range(50):
        for model, optimiser in ((sparse_model, sparse), (dense_model, dense)):
            optimiser.zero_grad()
            backward(model, step)
            if model is dense_model:
                for name, parameter in model.named_parameters():
                    if name in masks:
                        parameter.grad *= masks[name]
                if max_grad_norm:
                    torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
            optimiser.step()
            optimiser.schedule.step()
        with torch.no_grad():
            for name, parameter in dense_model.named_parameters():
                if name in masks:
                    parameter[~masks[name]] = base[name][~masks[name]]
    for name, expected in dense_model.named_parameters():
        got = sparse_model.get_parameter(name)
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)
        if name in masks:
            assert torch.equal(got[~masks[name]], base[name][~masks[name]]), name
            assert not masks[name].any() or not torch.equal(got, base[name])


def test_the_state_is_as_large_as_the_selection():
    model = network()
    optimiser = sparse_optimiser(model)
    backward(model, 0)
    optimiser.step()
    for name, mask in masks_of(model).items():
        state = optimiser.state.get(model.get_parameter(name), {})
        sizes = [value.numel() for key, value in state.items() if key != "step"]
        assert sizes == ([int(mask.sum())] * 2 if mask.any() else []), name
    assert optimiser.state[model[3].weight]["exp_avg"].shape == model[3].weight.shape


def test_resuming_gives_the_bits_of_an_uninterrupted_run():
    through, resumed = network(), network()
    optimiser = sparse_optimiser(through, lr=1e-2)
    for step in range(6):
        optimiser.zero_grad()
        backward(through, step)
        optimiser.step()
        if step == 2:
            resumed.load_state_dict(through.state_dict())
            file = io.BytesIO()
            torch.save(optimiser.state_dict(), file)
    file.seek(0)
    optimiser = sparse_optimiser(resumed, lr=1e-2)
    optimiser.load_state_dict(torch.load(file, weights_only=True))
    for step in range(3, 6):
        optimiser.zero_grad()
        backward(resumed, step)
        optimiser.step()
    for name, value in through.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_a_state_of_another_selection_is_refused():
    model = network()
    masks = [torch.ones_like(value, dtype=torch.bool) for value in model.parameters()]
    other = SparseAdamW([{"params": list(model.parameters()), "masks": masks}])
    with pytest.raises(BistilError, match="another selection"):
        sparse_optimiser(model).load_state_dict(other.state_dict())


def test_masks_that_do_not_fit_are_refused():
    weight = torch.nn.Parameter(torch.zeros(2, 3))
    with pytest.raises(BistilError, match=r"shape \(3, 2\).*\(2, 3\)"):
        SparseAdamW([{"params": [weight], "masks": [torch.ones(3, 2, dtype=torch.bool)]}])
    with pytest.raises(BistilError, match=r"torch\.float32.*torch\.bool"):
        SparseAdamW([{"params": [weight], "masks": [torch.ones(2, 3)]}])
    with pytest.raises(BistilError, match="1 parameters needs as many masks, not 2"):
        SparseAdamW([{"params": [weight], "masks": [torch.ones(2, 3, dtype=torch.bool)] * 2}])


def test_parameters_without_a_gradient_stay():
    model = network()
    model[1].weight.requires_grad_(False)
    before = model[1].weight.clone()
    optimiser = sparse_optimiser(model, lr=0.1, weight_decay=0.5, max_grad_norm=1.0)
    assert optimiser.step(lambda: 3.0) == 3.0
    backward(model, 0)
    optimiser.step()
    assert torch.equal(model[1].weight, before)


def test_under_transformers_trainer(tmp_path):
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    base = copy.deepcopy(model.state_dict())
    generator = torch.Generator().manual_seed(3)
    masks = {name: torch.rand(value.shape, generator=generator) < 0.2 for name, value in model.bert.named_parameters()}
    optimiser = SparseAdamW(
        [
            {"params": list(model.bert.parameters()), "masks": list(masks.values())},
            {"params": list(model.classifier.parameters())},
        ],
        lr=1e-2,
        max_grad_norm=1.0,
    )
    rows = [{"input_ids": [2 + i % 7, 3, 4], "attention_mask": [1, 1, 1], "labels": i % 2} for i in range(8)]
    arguments = TrainingArguments(
        output_dir=str(tmp_path), max_steps=4, per_device_train_batch_size=4, save_steps=2, learning_rate=1e-2,
        max_grad_norm=0.0, report_to="none", disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    Trainer(model, arguments, train_dataset=rows, optimizers=(optimiser, None)).train()
    trained = copy.deepcopy(model.state_dict())
    for name, mask in masks.items():
        assert torch.equal(model.bert.get_parameter(name)[~mask], base[f"bert.{name}"][~mask]), name
    assert not torch.equal(trained["classifier.weight"], base["classifier.weight"])
    assert optimiser.param_groups[0]["lr"] == 0.0

    Trainer(model, arguments, train_dataset=rows, optimizers=(optimiser, None)).train(
        resume_from_checkpoint=str(tmp_path / "checkpoint-2")
    )
    for name, value in model.state_dict().items():
        assert torch.equal(value, trained[name]), name
