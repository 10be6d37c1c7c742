"""Pretraining of the miniature's multilingual model, from nothing but a seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

from bistil_core.files import replacing
from bistil_core.miniature.card import model_card
from bistil_core.miniature.corpus import generate_corpus
from bistil_core.miniature.languages import PRETRAINING_LANGUAGES
from bistil_core.miniature.pretraining_batches import POSITIONS, Batch, Batches
from bistil_core.miniature.tokenizer import build_tokenizer
from bistil_core.threads import limit_threads

VOCABULARY_SIZE = 840


@dataclass(frozen=True)
class Cycle:
    """A learning rate that falls linearly to 0 over some stages of (layers, optimiser steps)."""

    stages: tuple[tuple[int, int], ...]
    learning_rate: float
    alignment_weight: float


CYCLES = (
    Cycle(stages=((3, 900), (6, 1100), (12, 3600)), learning_rate=1.8e-3, alignment_weight=0.5),
    Cycle(stages=((12, 2200),), learning_rate=1.2e-3, alignment_weight=1.0),
    Cycle(stages=((12, 2500),), learning_rate=1.2e-3, alignment_weight=1.0),
)
"""A shallow model learns to look around in its context within minutes, a deep one does not."""

_TOKENIZER_DOCUMENTS = 20_000
_WARMUP_STEPS = 100
_ALIGNMENT_TEMPERATURE = 0.1


def alignment_loss(hidden: Tensor, spans: Tensor, meanings: Tensor) -> Tensor:
    """Contrast each slot with its translation among all slots of the batch, both ways (InfoNCE).

    Args:
        hidden: one layer's states, (B, L, D).
        spans: int64 (2, S, T), flat token indices of slot s in a text and in its translation, -1 for none.
        meanings: int64 (S,), equal for slots that say the same: those are no negatives of each other.
    """
    present = (spans >= 0).unsqueeze(-1)
    states = hidden.flatten(0, 1)[spans.clamp(min=0)] * present
    pooled = functional.normalize(states.sum(2) / present.sum(2), dim=-1)
    similarity = pooled[0] @ pooled[1].T / _ALIGNMENT_TEMPERATURE
    same = meanings[:, None] == meanings[None, :]
    same.fill_diagonal_(False)
    similarity = similarity.masked_fill(same, float("-inf"))
    targets = torch.arange(len(meanings))
    return (functional.cross_entropy(similarity, targets) + functional.cross_entropy(similarity.T, targets)) / 2


def _loss(model: XLMRobertaForMaskedLM, batch: Batch, alignment_weight: float) -> tuple[Tensor, dict[str, float]]:
    outputs = model.roberta(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
        position_ids=batch.position_ids,
        output_hidden_states=batch.spans is not None,
    )
    chosen = batch.labels != -100
    logits = model.lm_head(outputs.last_hidden_state[chosen])
    prediction = functional.cross_entropy(logits, batch.labels[chosen])
    if batch.spans is None:
        return prediction, {"pairs": prediction.item()}
    layers = model.config.num_hidden_layers
    alignment = torch.stack(
        [
            alignment_loss(outputs.hidden_states[layer], batch.spans, batch.meanings)
            for layer in (layers // 3, 2 * layers // 3)
        ]
    ).mean()
    return prediction + alignment_weight * alignment, {"documents": prediction.item(), "alignment": alignment.item()}


def configuration(vocabulary_size: int, layers: int = 12) -> XLMRobertaConfig:
    """The miniature model's shape: XLM-R's, deep and very narrow."""
    return XLMRobertaConfig(
        vocab_size=vocabulary_size,
        hidden_size=96,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=192,
        max_position_embeddings=POSITIONS + 2,
        type_vocab_size=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.05,
        layer_norm_eps=1e-5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )


def _deepened(model: XLMRobertaForMaskedLM, layers: int) -> XLMRobertaForMaskedLM:
    """A model of `layers` layers made of copies of `model`'s, stacked (Gong et al. 2019)."""
    deeper = XLMRobertaForMaskedLM(configuration(model.config.vocab_size, layers))
    deeper.roberta.embeddings.load_state_dict(model.roberta.embeddings.state_dict())
    deeper.lm_head.load_state_dict(model.lm_head.state_dict())
    shallow = model.roberta.encoder.layer
    for index, layer in enumerate(deeper.roberta.encoder.layer):
        layer.load_state_dict(shallow[index % len(shallow)].state_dict())
    return deeper


def _train(
    model: XLMRobertaForMaskedLM, batches: Batches, cycle: Cycle, steps: range, report: Callable[[dict], None]
) -> None:
    """Take the optimiser steps of these numbers within the cycle."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    total = sum(count for _, count in cycle.stages)
    for step in steps:
        batch = batches.documents() if step % 2 == 0 else batches.pairs()
        loss, losses = _loss(model, batch, cycle.alignment_weight)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        warmup = min(1.0, (step - steps.start + 1) / _WARMUP_STEPS)
        for group in optimiser.param_groups:
            group["lr"] = cycle.learning_rate * warmup * (1 - step / total)
        optimiser.step()
        optimiser.zero_grad()
        report(losses)


def pretrain_miniature(
    output: str | Path,
    seed: int,
    threads: int,
    cycles: Sequence[Cycle] = CYCLES,
    report: Callable[[dict[str, float]], None] = lambda losses: None,
) -> None:
    """Train the tokenizer and the multilingual model and write the folder that ships with the package.

    Args:
        output: the folder to write: config.json, model.safetensors, tokenizer files, README.md.
        seed: of text, masks and weights; the same seed and threads give the same bytes.
        threads: CPU threads to use.
        cycles: what to train; every stage starts from the model of the one before it, stacked to its depth.
        report: called with every step's losses.
    """
    limit_threads(threads)
    torch.manual_seed(seed)
    documents = (
        document
        for language in PRETRAINING_LANGUAGES
        for document in generate_corpus(language, _TOKENIZER_DOCUMENTS, seed)
    )
    tokenizer = build_tokenizer(documents, VOCABULARY_SIZE)
    model = XLMRobertaForMaskedLM(configuration(len(tokenizer), cycles[0].stages[0][0]))
    for index, cycle in enumerate(cycles):
        batches, done = Batches(tokenizer, seed + index), 0
        for layers, steps in cycle.stages:
            if layers != model.config.num_hidden_layers:
                model = _deepened(model, layers)
            _train(model, batches, cycle, range(done, done + steps), report)
            done += steps
    with replacing(output) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        card = model_card(
            languages=", ".join(PRETRAINING_LANGUAGES),
            layers=model.config.num_hidden_layers,
            hidden=model.config.hidden_size,
            parameters=model.num_parameters(),
            positions=POSITIONS,
            vocabulary=len(tokenizer),
            cycles="\n".join(
                f"- {', '.join(f'{steps} steps of {layers} layers' for layers, steps in cycle.stages)}: "
                f"learning rate {cycle.learning_rate}, contrastive loss weighted {cycle.alignment_weight}"
                for cycle in cycles
            ),
            seed=seed,
        )
        (folder / "README.md").write_text(card, encoding="utf-8")
