"""What a 3-layer model of random weights learns of a task from its real English training set: do head and decoder work?

    python benchmarks/tasks_from_scratch.py ud DATA       # LAS on English-EWT's test set
    python benchmarks/tasks_from_scratch.py conll DATA    # span F1 on CoNLL-2003's development set

DATA is the folder of docs/local.md. Prints the score on the last line.
"""

import argparse
import logging
import tempfile
from pathlib import Path

from transformers import AutoTokenizer, BertConfig, BertModel, set_seed

from bistil_core import count_tokens, kept_token_ids
from bistil_core.data.examples import read_examples
from bistil_core.data.formats import format_of
from bistil_core.data.prepare_test_data import prepare_test_data
from bistil_core.data.prepare_training_data import prepare_training_data
from bistil_core.evaluation.evaluate_model import evaluate_model
from bistil_core.files import read_json
from bistil_core.settings.sources import ExampleFiles
from bistil_core.settings.tasks import EvaluateSettings, TeacherSettings
from bistil_core.training.fine_tune_teacher import fine_tune_teacher
from bistil_core.vocabulary.trimmed_tokenizer import trim_tokenizer

EXPERIMENTS = {
    "ud": ("dp", "words", "ud/UD_English-EWT/en_ewt-ud-{split}.conllu", "test", 6),
    "conll": ("ner", "tokens", "ner/conll2003_en/{split}.txt", "dev", 4),
}


def main() -> None:
    """Prepare the data, train, and score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("data", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("bistil").setLevel(logging.INFO)
    task, column, pattern, scored_on, epochs = EXPERIMENTS[arguments.experiment]

    def source(split: str) -> ExampleFiles:
        return ExampleFiles(kind="files", path=str(arguments.data / pattern.format(split=split)))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare_training_data(folder / "data", task, "en", source("train"), source("dev"), seed=1)
        prepare_test_data(folder / "test", task, "en", source(scored_on), seed=1)
        sentences, _ = read_examples(Path(source("train").path), format_of(task), None)
        texts = [" ".join(words) for words in sentences[column].to_pylist()]
        multilingual = AutoTokenizer.from_pretrained(arguments.data / "tokenizers/bert-base-multilingual-cased")
        counts = {"en": count_tokens(multilingual, texts)}
        tokenizer = trim_tokenizer(multilingual, kept_token_ids(counts, 1e-6, multilingual))
        set_seed(1)
        encoder = BertModel(
            BertConfig(
                vocab_size=len(tokenizer), hidden_size=256, num_hidden_layers=3, num_attention_heads=4,
                intermediate_size=1024, max_position_embeddings=512, pad_token_id=tokenizer.pad_token_id,
            )
        )  # fmt: skip
        encoder.save_pretrained(folder / "model")
        tokenizer.save_pretrained(folder / "model")
        settings = TeacherSettings(
            density=1.0, dense_epochs=epochs, sparse_epochs=1, batch_size=32, learning_rate=1e-3,
            warmup_fraction=0.1, max_length=128,
        )  # fmt: skip
        fine_tune_teacher(
            folder / "model", {"en": folder / "data"}, folder / "teacher", task, "en", settings, 1, arguments.threads
        )
        output = folder / "scores.json"
        evaluation = EvaluateSettings(bootstrap_samples=200)
        test = folder / "test" / "test.parquet"
        evaluate_model(folder / "teacher", None, test, output, task, "en", 128, evaluation, arguments.threads)
        result = read_json(output)
    print(f"{result['metric']} {result['score']:.4f} on {result['scored']}; all metrics: {result['metrics']}")


if __name__ == "__main__":
    main()
