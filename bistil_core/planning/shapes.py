"""The sizes of a Transformer encoder, and the parameters, bytes and operations that follow from them."""

from dataclasses import dataclass
from pathlib import Path

from bistil_core.files import read_json
from bistil_core.planning.inputs import made

FLOAT = 4


@dataclass(frozen=True)
class ModelShape:
    """An encoder whose feed-forward block has two matrices; a third, as gated ones have, is within the margins."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    vocabulary: int

    @classmethod
    def of(cls, folder: str | Path) -> "ModelShape":
        """The shape of the model in a folder with a config.json.

        Raises:
            NotMadeYet: the folder is not there yet; the error names the folder.
        """
        config = read_json(made(folder) / "config.json")
        hidden = config["hidden_size"]
        return cls(
            layers=config["num_hidden_layers"],
            hidden=hidden,
            intermediate=config.get("intermediate_size", 4 * hidden),
            heads=config["num_attention_heads"],
            vocabulary=config["vocab_size"],
        )

    @property
    def parameters(self) -> int:
        """All parameters, with up to 512 positions."""
        body = self.layers * (4 * self.hidden**2 + 2 * self.hidden * self.intermediate)
        return body + (self.vocabulary + 512) * self.hidden

    @property
    def weights(self) -> float:
        """Bytes of all parameters."""
        return float(FLOAT * self.parameters)

    def activations(self, tokens: int, length: int) -> float:
        """Bytes that the forward pass keeps for the backward pass, in float32.

        Args:
            tokens: in a batch.
            length: of its rows.
        """
        return tokens * self.layers * FLOAT * (17 * self.hidden + 3 * self.heads * length)

    def forward_flops(self, tokens: float, length: float, outputs: int = 0) -> float:
        """Floating-point operations of one pass over so many tokens, in rows of a length.

        Matrix products of attention and feed-forward block, the two with attention probabilities, and the outputs.

        Args:
            outputs: logits of a token, as of masked language modelling.
        """
        of_layer = 4 * self.hidden**2 + 2 * self.hidden * self.intermediate + 2 * length * self.hidden
        return 2.0 * tokens * (self.layers * of_layer + self.hidden * outputs)
