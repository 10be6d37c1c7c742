"""The shallow biaffine dependency parser (Glavas and Vulic 2021; after Dozat and Manning 2017) on any encoder.

A word is the mean of its sub-words' last hidden states x, the root that of the first token. With X the words and
X' the root followed by the words, arcs score Y = X W X'^T + X' b and relation r scores X W_r X'^T + X U_r^T + b_r;
there is nothing between the encoder and the bilinear layers.

With `pooled_root` in its configuration it is the parser of published SFTs (`published_parser`): the root is the
pooler's output, and relations have the term X' V_r^T, too.
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
from bistil_core.errors import BistilError

IMPOSSIBLE = -1e9
"""The score of an arc that cannot be: finite, so that 0 times it is 0."""


@dataclass
class ParserOutput(ModelOutput):
    """What a parser returns.

    Attributes:
        loss: the sum of the mean cross-entropies of heads and of relations, where gold ones were given.
        arc_logits: (B, W, W + 1), of each word's head: the root, then the words; IMPOSSIBLE for padding and itself.
        relation_logits: (B, W, W + 1, R), of each word's relation to each possible head.
        unlearnt_roots: True where the parser has never learnt which words are roots, nor their relation.
    """

    loss: Tensor | None = None
    arc_logits: Tensor | None = None
    relation_logits: Tensor | None = None
    unlearnt_roots: bool | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class BiaffineParser(nn.Module):
    """Scores of arcs and relations between words.

    All weights start at 0: a bilinear form has no symmetry to break, and hidden states of any scale start alike.
    """

    def __init__(self, hidden_size: int, relations: int, scores_heads: bool = False):
        super().__init__()
        self.arc = nn.Parameter(torch.zeros(hidden_size, hidden_size))
        self.arc_bias = nn.Parameter(torch.zeros(hidden_size))
        self.relation = nn.Parameter(torch.zeros(relations, hidden_size, hidden_size))
        self.relation_of_word = nn.Parameter(torch.zeros(relations, hidden_size))
        self.relation_of_head = nn.Parameter(torch.zeros(relations, hidden_size)) if scores_heads else None
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
        if self.relation_of_head is not None:
            relations = relations + (heads @ self.relation_of_head.mT)[:, None]
        return arcs.masked_fill(~possible, IMPOSSIBLE), relations


def load_parser(
    folder: str | Path, relations: tuple[str, ...], pooled_root: bool = False, **overrides: Any
) -> PreTrainedModel:
    """A parser from a folder that has one, or a bare encoder: then the parser on top is new.

    Args:
        relations: names of the relations, in the order of the last axis of the relation logits.
        pooled_root: a published SFT's parser on an encoder; a folder that has one says so itself.
        overrides: configuration values, and `attn_implementation`.

    Raises:
        BistilError: the root is pooled, and the folder's model has no pooler.
    """
    implementation = overrides.pop("attn_implementation", None)
    names = {"id2label": dict(enumerate(relations)), "label2id": {name: n for n, name in enumerate(relations)}}
    config = AutoConfig.from_pretrained(str(folder), local_files_only=True, **names, **overrides)
    if pooled_root:
        config.pooled_root = True
    model, report = parser_class(type(config)).from_pretrained(
        str(folder),
        config=config,
        attn_implementation=implementation,
        local_files_only=True,
        use_safetensors=True,
        output_loading_info=True,
    )
    if lacking := sorted(name for name in report["missing_keys"] if "pooler" in name):
        raise BistilError(
            f"{folder}: lacks {lacking[0]}, and the parser of a published sparse fine-tuning takes the pooled first "
            "token for the root; give a base model with its pooler, or fine-tune the teacher (fine_tuning)"
        )
    return model


@cache
def parser_class(config_class: type[PretrainedConfig]) -> type[PreTrainedModel]:
    """The parser on the encoder of a model family; the names of the encoder's weights are the family's own."""
    encoder_class = MODEL_MAPPING[config_class]
    family_class = next(base for base in encoder_class.__mro__[1:] if issubclass(base, PreTrainedModel))

    class DependencyParser(family_class):
        def __init__(self, config: PretrainedConfig):
            super().__init__(config)
            encoder = encoder_class(config)
            self.pooled_root = getattr(config, "pooled_root", False)
            # Else it has no part in parsing, and no gradient.
            if getattr(encoder, "pooler", None) is not None and not self.pooled_root:
                encoder.pooler = None
            setattr(self, self.base_model_prefix, encoder)
            self.parser = BiaffineParser(config.hidden_size, config.num_labels, scores_heads=self.pooled_root)
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
            root = encoded.pooler_output if self.pooled_root else hidden[:, 0]
            arcs, relation_logits = self.parser(words, root, is_word)
            loss = None
            if heads is not None:
                loss = functional.cross_entropy(arcs.flatten(0, 1), heads.flatten(), ignore_index=IGNORED)
                at_gold = at_heads(relation_logits, heads)
                loss = loss + functional.cross_entropy(at_gold.flatten(0, 1), relations.flatten(), ignore_index=IGNORED)
            unlearnt = self.pooled_root or None
            return ParserOutput(loss, arcs, relation_logits, unlearnt, encoded.hidden_states, encoded.attentions)

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
