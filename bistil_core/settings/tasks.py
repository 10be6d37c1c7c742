"""`teacher`, `phase2` and `benchmarks`: what a task is learnt from and tested on."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from bistil_core.settings.base import Count, Section
from bistil_core.settings.language_sft import SftFile
from bistil_core.settings.optimisation import SparseOptimisation
from bistil_core.settings.sources import ExampleSource, HubFiles

Labels = Annotated[
    list[str] | None,
    Field(default=None, description="The labels in the order of the head's rows; none: the package's own order."),
]


class TaskSftFile(SftFile):
    """A task's sparse fine-tuning of the user's, with its head."""

    labels: Labels


class TaskSftOnHub(HubFiles):
    """A task's sparse fine-tuning on the Hugging Face hub, with its head."""

    labels: Labels


def _from_text(value: Any) -> Any:
    return {"kind": "hub", "repository": value, "revision": "main"} if isinstance(value, str) else value


_TaskSftSource = Annotated[TaskSftFile | TaskSftOnHub, Field(discriminator="kind")]
_ShortForm = Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$", description="owner/name on the hub.")]

TaskSft = Annotated[_TaskSftSource, BeforeValidator(_from_text, json_schema_input_type=_ShortForm | _TaskSftSource)]
"""`OWNER/NAME` (the hub's branch main) or a mapping with a kind."""


class TeacherSettings(SparseOptimisation):
    """The task teacher's fine-tuning on the source language."""


class TeacherSection(Section):
    """One task's training data, and how the teacher learns from them or where it comes from."""

    train: ExampleSource
    validation: ExampleSource
    languages: list[str] | None = Field(
        default=None, description="Of the labels that the teacher is fine-tuned on; none: the source language alone."
    )
    fine_tuning: TeacherSettings | None = Field(default=None, description="How the teacher is fine-tuned.")
    task_sft: TaskSft | None = Field(
        default=None, description="In place of `fine_tuning`: the teacher is the base with this on it."
    )


class Phase2Settings(SparseOptimisation):
    """How the task is distilled into the student (BiStil section 3.3)."""

    temperature: float = Field(default=2.0, gt=0.0)
    teacher: Literal["fine_tuned", "none"] = Field(
        default="fine_tuned", description="`none`: learn from the gold labels alone (BiStil-ST, the ablation)."
    )


class BenchmarkSettings(Section):
    """One benchmark: a task, the base model to distil, and test data per language."""

    task: str = Field(description="A task that the package knows, such as nli.")
    base_model: str = Field(description="A key of `base_models`.")
    languages: list[str] = Field(min_length=1, description="The target languages.")
    decoding: str | None = Field(
        default=None, description="Another way to read predictions off the outputs: dp has greedy (no tree is sought)."
    )
    test: ExampleSource
    source_test: ExampleSource | None = Field(
        default=None, description="In place of `test` for the source language, where a benchmark leaves it out."
    )

    def test_in(self, language: str, source_language: str) -> ExampleSource:
        """Where the test data of a language come from."""
        return self.source_test if self.source_test and language == source_language else self.test


class EvaluateSettings(Section):
    """How the finished models are scored."""

    batch_size: Count = 64
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0, description="Of the reported intervals.")
    bootstrap_samples: Count = Field(default=1000, description="Resamples behind each interval.")
    speed_repeats: Count = Field(default=5, description="Timed repeats, of which the median is reported.")
    speed_length: Count = Field(default=128, description="Tokens per example when timing and counting FLOPs.")
