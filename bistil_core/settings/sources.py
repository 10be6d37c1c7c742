"""Where text, labelled examples and base models come from, told apart by `kind`."""

from typing import Annotated, Literal

from pydantic import Field

from bistil_core.settings.base import Count, Section


class MiniatureText(Section):
    """Sentences written by the miniature's generator."""

    kind: Literal["miniature"]
    documents: Count = Field(description="How many documents to write.")


class TextFiles(Section):
    """Text of the user's: .txt (a document a line) or .jsonl, both also as .gz or .zst, or .parquet (column `text`)."""

    kind: Literal["files"]
    paths: list[str] = Field(min_length=1, description="Files, or folders of such files.")


TextSource = Annotated[MiniatureText | TextFiles, Field(discriminator="kind")]


class MiniatureExamples(Section):
    """Labelled examples computed by the miniature's generator."""

    kind: Literal["miniature"]
    examples: Count = Field(description="How many labelled examples to write.")


class ExampleFiles(Section):
    """Labelled examples in a file of the user's: .tsv, .csv, .json, .jsonl or .parquet.

    `columns` names the file's columns for the task's fields (a TSV without a header: names in file order).
    """

    kind: Literal["files"]
    path: str = Field(description="The file; `{language}` stands for the language's code.")
    columns: dict[str, str] | list[str] | None = Field(
        default=None,
        description="Task field to column name, or, for a table without a header line, the fields in order.",
    )


ExampleSource = Annotated[MiniatureExamples | ExampleFiles, Field(discriminator="kind")]


class MiniatureModel(Section):
    """The small multilingual model that is shipped with the package."""

    kind: Literal["miniature"]


class ModelFolder(Section):
    """A folder as `save_pretrained` writes it: config.json, model.safetensors, tokenizer files."""

    kind: Literal["folder"]
    path: str


class RandomModel(Section):
    """A configuration with random weights, to rehearse a real run: its scores mean nothing."""

    kind: Literal["random"]
    model_type: str = Field(description="A transformers model type, such as xlm-roberta or bert.")
    tokenizer: str = Field(description="A tokenizer folder, or a SentencePiece model file of XLM-R.")
    config: dict[str, int | float | str | bool] = Field(
        default_factory=dict, description="Values for the model's config.json, such as hidden_size."
    )


ModelSource = Annotated[MiniatureModel | ModelFolder | RandomModel, Field(discriminator="kind")]
