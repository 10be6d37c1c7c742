"""How large models and data are, from what lies there already or else from what is known of public ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bistil_core.downloads import model_folder
from bistil_core.planning.shapes import ModelShape
from bistil_core.settings.local_files import local_paths

MINIATURE = Path(__file__).parents[1] / "miniature" / "mmt"

MODELS = {
    "FacebookAI/xlm-roberta-base": ModelShape(12, 768, 3072, 12, 250_002),
    "google-bert/bert-base-multilingual-cased": ModelShape(12, 768, 3072, 12, 119_547),
    "microsoft/mdeberta-v3-base": ModelShape(12, 768, 3072, 12, 251_000),
    "jhu-clsp/mmBERT-base": ModelShape(22, 768, 1152, 12, 256_000),
    "EuroBERT/EuroBERT-210m": ModelShape(12, 768, 3072, 12, 128_256),
}
ASSUMED_MODEL = MODELS["FacebookAI/xlm-roberta-base"]

TRAINING_EXAMPLES = {"nyu-mll/multi_nli": 392_702, "rajpurkar/squad": 87_599, "commul/universal_dependencies": 12_544}
ASSUMED_EXAMPLES = {"nli": 400_000, "ner": 15_000, "dp": 12_500, "pos": 12_500, "qa": 90_000}
TEST_EXAMPLES = {"nli": 5_000, "ner": 1_000, "dp": 1_000, "pos": 1_000, "qa": 1_200}
TOKENS = {"nli": 40, "ner": 30, "dp": 30, "pos": 30, "qa": 220}
"""Of an example with the padding of its batch, at most `max_length`."""

MINIATURE_TOKENS = {"nli": 22, "ner": 14, "dp": 14, "qa": 43}
MINIATURE_BYTES = 150
"""Of a document of the miniature."""

ASSUMED_CHARACTERS = 100_000_000
"""Of a corpus that is taken whole from the hub."""

KEPT_TOKENS = 30_000
"""Of a vocabulary that is cut to two languages, about as many as the paper's students have."""

EXAMPLE_BYTES = 300


class Sizes:
    """Sizes with a note of each that had to be assumed.

    Attributes:
        assumptions: sentences, without repetitions.
    """

    def __init__(self) -> None:
        self._assumptions: dict[str, None] = {}

    @property
    def assumptions(self) -> list[str]:
        """What was not known, in the order in which it was asked for."""
        return list(self._assumptions)

    def model(self, name: str, source: Any) -> ModelShape:
        """The shape of a base model."""
        for folder in _folders(source):
            if (folder / "config.json").is_file():
                return ModelShape.of(folder)
        if source.kind == "random":
            values = {"num_hidden_layers": 12, "hidden_size": 768, "num_attention_heads": 12, "vocab_size": 250_002}
            values |= source.config
            hidden = int(values["hidden_size"])
            intermediate = int(values.get("intermediate_size", 4 * hidden))
            layers, heads, vocabulary = (
                int(values[key]) for key in ("num_hidden_layers", "num_attention_heads", "vocab_size")
            )
            return ModelShape(layers, hidden, intermediate, heads, vocabulary)
        known = MODELS.get(getattr(source, "repository", ""))
        if known is None:
            self._assume(f"base model {name}: of the shape of XLM-R base")
        return known or ASSUMED_MODEL

    def text(self, language: str, source: Any) -> float:
        """Bytes of a corpus."""
        if source.kind == "miniature":
            return source.documents * MINIATURE_BYTES
        if source.kind == "files":
            return _on_disk(source, language)
        if source.maximum_characters:
            return source.maximum_characters
        self._assume(f"corpora without maximum_characters: {ASSUMED_CHARACTERS:,} characters each")
        return ASSUMED_CHARACTERS

    def training_examples(self, task: str, source: Any) -> int:
        """Labelled examples to learn from."""
        if source.kind == "miniature":
            return source.examples
        if source.kind == "files":
            return max(1, round(_on_disk(source, "en") / EXAMPLE_BYTES))
        known = TRAINING_EXAMPLES.get(source.repository)
        if known is None:
            self._assume(f"training data of {task}: {ASSUMED_EXAMPLES[task]:,} examples")
        return known or ASSUMED_EXAMPLES[task]

    def test_examples(self, task: str, source: Any) -> int:
        """Labelled examples to score."""
        if source.kind == "miniature":
            return source.examples
        self._assume(f"test data of {task}: {TEST_EXAMPLES[task]:,} examples a language")
        return TEST_EXAMPLES[task]

    def tokens(self, task: str, source: Any, max_length: int) -> int:
        """Tokens of an example of a task."""
        if source.kind == "miniature":
            return min(MINIATURE_TOKENS[task], max_length)
        self._assume(f"an example of {task}: {TOKENS[task]} tokens with padding")
        return min(TOKENS[task], max_length)

    def _assume(self, sentence: str) -> None:
        self._assumptions[sentence] = None


def _folders(source: Any) -> Iterator[Path]:
    """Where a base model may lie."""
    if source.kind.startswith("miniature"):
        yield MINIATURE
    elif source.kind == "folder":
        yield Path(source.path)
    elif source.kind == "hub":
        yield model_folder(source)


def _on_disk(source: Any, language: str) -> float:
    """Bytes of the user's own files."""
    paths = map(Path, local_paths(source, language))
    files = (file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]))
    return float(sum(file.stat().st_size for file in files if file.is_file()))
