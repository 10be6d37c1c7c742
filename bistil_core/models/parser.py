"""The shallow biaffine dependency parser (Glavas and Vulic 2021; after Dozat and Manning 2017) on any encoder.

A word is the mean of its sub-words' last hidden states x, the root that of the first token. With X the words and
X' the root followed by the words, arcs score Y = X W X'^T + X' b and relation r scores X W_r X'^T + X U_r^T + b_r;
there is nothing between the encoder and the bilinear layers.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import MODEL_MAPPING, AutoConfig, PretrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput

from bistil_core.encoding.padding import IGNORED

IMPOSSIBLE = -1e9
"""The score of an arc that cannot be: finite, so that 0 times it is 0."""


@dataclass
class ParserOutput(ModelOutput):
    """What a parser returns.

    Attributes:
        loss: the sum of the mean cross-entropies of heads and of relations, where gold ones were given.
        arc_logits: (B, W, W + 1), of each word's head: the root, then the words; IMPOSSIBLE for padding and itself.
        relation_logits: (B, W, W + 1, R), of each word's relation to each possible head.
    """

    loss: Tensor | None = None
    arc_logits: Tensor | None = None
    relation_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class BiaffineParser(nn.Module):
    """Scores of arcs and relations between words.

    All weights start at 0: a bilinear form has no symmetry to break, and hidden states of any scale start alike.
    """

    def __init__(self, hidden_size: int, relations: int):
        super().__init__()
        self.arc = nn.Parameter(torch.zeros(hidden_size, hidden_size))
        self.arc_bias = nn.Parameter(torch.zeros(hidden_size))
        self.relation = nn.Parameter(torch.zeros(relations, hidden_size, hidden_size))
        self.relation_of_word = nn.Parameter(torch.zeros(relations, hidden_size))
        self.relation_bias = nn.Parameter(torch.zeros(relations))

    def forward(self, words: Tensor, root: Tensor, is_word: Tensor) -> tuple[Tensor, Tensor]:
        """Arc and relation logits of `words` (B, W, D), `root` (B, D) and the mask of real words (B, W)."""
        heads = torch.cat([root[:, None], words], dim=1)
        arcs = words @ self.arc @ heads.mT + (heads @ self.arc_bias)[:, None]
        possible = functional.pad(is_word, (1, 0), value=True)[:, None].expand_as(arcs)
        itself = torch.eye(words.shape[1], dtype=torch.bool, device=words.device)
        possible = possible & ~functional.pad(itself, (1, 0))
        projected = torch.einsum("bwd,rde->bwre", words, self.relation)
        relations = torch.einsum("bwre,bhe->bwhr", projected, heads)
        relations = relations + (words @ self.relation_of_word.mT)[:, :, None] + self.relation_bias
        return arcs.masked_fill(~possible, IMPOSSIBLE), relations


def load_parser(folder: str | Path, relations: tuple[str, ...], **overrides: Any) -> PreTrainedModel:
    """A parser from a folder that has one, or a bare encoder: then the parser on top is new.

    Args:
        relations: names of the relations, in the order of the last axis of the relation logits.
        overrides: configuration values, and `attn_implementation`.
    """
    implementation = overrides.pop("attn_implementation", None)
    names = {"id2label": dict(enumerate(relations)), "label2id": {name: n for n, name in enumerate(relations)}}
    config = AutoConfig.from_pretrained(str(folder), local_files_only=True, **names, **overrides)
    return parser_class(type(config)).from_pretrained(
        str(folder), config=config, attn_implementation=implementation, local_files_only=True, use_safetensors=True
    )


@cache
def parser_class(config_class: type[PretrainedConfig]) -> type[PreTrainedModel]:
    """The parser on the encoder of a model family; the names of the encoder's weights are the family's own."""
    encoder_class = MODEL_MAPPING[config_class]
    family_class = next(base for base in encoder_class.__mro__[1:] if issubclass(base, PreTrainedModel))

    class DependencyParser(family_class):
        def __init__(self, config: PretrainedConfig):
            super().__init__(config)
            encoder = encoder_class(config)
            # A pooler has no part in parsing, and no gradient.
            if getattr(encoder, "pooler", None) is not None:
                encoder.pooler = None
            setattr(self, self.base_model_prefix, encoder)
            self.parser = BiaffineParser(config.hidden_size, config.num_labels)
            self.post_init()

        def _init_weights(self, module: nn.Module) -> None:
            if isinstance(module, BiaffineParser):
                for parameter in module.parameters():
                    nn.init.zeros_(parameter)
            else:
                super()._init_weights(module)

        def forward(
            self,
            input_ids: Tensor,
            attention_mask: Tensor,
            word_of_token: Tensor | None = None,
            heads: Tensor | None = None,
            relations: Tensor | None = None,
            **asked: Any,
        ) -> ParserOutput:
            """Parse a batch.

            Args:
                input_ids: (B, L).
                attention_mask: (B, L).
                word_of_token: (B, L), each token's word, -1 for none; by default each token after the first is one.
                heads: gold heads (B, W), 0 for the root, IGNORED for what is not to be learnt.
                relations: gold relations (B, W), likewise.
                asked: `output_attentions`, `output_hidden_states`.
            """
            encoded = self.base_model(input_ids=input_ids, attention_mask=attention_mask, **asked)
            if word_of_token is None:
                word_of_token = torch.where(attention_mask.bool(), attention_mask.cumsum(-1) - 2, -1)
            hidden = encoded.last_hidden_state
            words, is_word = word_means(hidden, word_of_token)
            arcs, relation_logits = self.parser(words, hidden[:, 0], is_word)
            loss = None
            if heads is not None:
                loss = functional.cross_entropy(arcs.flatten(0, 1), heads.flatten(), ignore_index=IGNORED)
                at_gold = at_heads(relation_logits, heads)
                loss = loss + functional.cross_entropy(at_gold.flatten(0, 1), relations.flatten(), ignore_index=IGNORED)
            return ParserOutput(loss, arcs, relation_logits, encoded.hidden_states, encoded.attentions)

    return DependencyParser


def word_means(hidden: Tensor, word_of_token: Tensor) -> tuple[Tensor, Tensor]:
    """The mean hidden state of each word's tokens, (B, W, D), and which words are real, (B, W)."""
    count = int(word_of_token.max()) + 1
    belongs = word_of_token[:, None] == torch.arange(count, device=hidden.device)[:, None]
    tokens = belongs.sum(dim=-1)
    return belongs.to(hidden.dtype) @ hidden / tokens.clamp(min=1)[..., None], tokens > 0


def at_heads(relation_logits: Tensor, heads: Tensor) -> Tensor:
    """Of (B, W, W + 1, R) the logits of each word at its own head, (B, W, R); at the root where that is ignored."""
    index = heads.clamp(min=0)[..., None, None].expand(-1, -1, 1, relation_logits.shape[-1])
    return relation_logits.gather(2, index).squeeze(2)
