"""Where text, labelled examples and base models come from, told apart by `kind`."""

from typing import Annotated, Literal

from pydantic import Field

from bistil_core.settings.base import Count, Section

Repository = Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$", description="owner/name on the hub.")]
Revision = Annotated[str, Field(min_length=1, description="A commit, which never changes; or a tag or branch.")]


class MiniatureText(Section):
    """Sentences written by the miniature's generator."""

    kind: Literal["miniature"]
    documents: Count = Field(description="How many documents to write.")


class TextFiles(Section):
    """Text of the user's: .txt (a document a line) or .jsonl, both also as .gz or .zst, or .parquet (column `text`)."""

    kind: Literal["files"]
    paths: list[str] = Field(min_length=1, description="Files, or folders of such files.")


class HubText(Section):
    """Text of a data set on the Hugging Face hub."""

    kind: Literal["hub"]
    repository: Repository
    name: str | None = Field(default=None, description="The data set's configuration, such as 20231101.sw.")
    split: str = "train"
    revision: Revision
    text_column: str = Field(default="text", description="The column that holds a document a row.")
    maximum_characters: Count | None = Field(
        default=None,
        description="About how much to take, a sample of the documents; none: everything there is.",
    )


TextSource = Annotated[MiniatureText | TextFiles | HubText, Field(discriminator="kind")]


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


class HubExamples(Section):
    """Labelled examples of a data set on the Hugging Face hub; `{language}` stands for the language's code."""

    kind: Literal["hub"]
    repository: Repository
    name: str | dict[str, str] | None = Field(
        default=None, description="The data set's configuration, such as {language}; or one by language."
    )
    split: str = Field(description="Such as train, validation or test.")
    revision: Revision
    columns: dict[str, str] | None = Field(default=None, description="Task field to column name.")


class GithubExamples(Section):
    """Labelled examples in a file of a public GitHub repository, as it was at one commit."""

    kind: Literal["github"]
    repository: Repository
    commit: str = Field(pattern=r"^[0-9a-f]{40}$", description="The full hash.")
    path: str = Field(min_length=1, description="In the repository; `{language}` stands for the language's code.")
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(
        default_factory=dict, description="By language the checksum that the file must have."
    )


ExampleSource = Annotated[MiniatureExamples | ExampleFiles | HubExamples | GithubExamples, Field(discriminator="kind")]


class MiniatureModel(Section):
    """The small multilingual model that is shipped with the package."""

    kind: Literal["miniature"]


class MiniatureModelWithIndonesian(Section):
    """The shipped model, with pieces for Indonesian in its tokenizer; it never saw a text in that language."""

    kind: Literal["miniature_with_indonesian"]


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


class HubFiles(Section):
    """A model repository on the Hugging Face hub."""

    kind: Literal["hub"]
    repository: Repository
    revision: Revision


class HubModel(HubFiles):
    """A model on the Hugging Face hub."""

    model_type: str | None = Field(
        default=None,
        description="Of its config.json, such as xlm-roberta; without it a change to any model family counts as one.",
    )


ModelSource = Annotated[
    MiniatureModel | MiniatureModelWithIndonesian | ModelFolder | RandomModel | HubModel, Field(discriminator="kind")
]
