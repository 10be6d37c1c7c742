"""The whole of config.yaml, and what one part must know of another."""

from pydantic import Field

from bistil_core.settings.base import Section
from bistil_core.settings.checkpoints import CheckpointSettings
from bistil_core.settings.corpora import BaseModelSettings, CorpusSettings
from bistil_core.settings.language_sft import LanguageSft, TrainLanguageSftSettings
from bistil_core.settings.phase1 import Phase1Settings
from bistil_core.settings.tasks import BenchmarkSettings, EvaluateSettings, Phase2Settings, TeacherSection
from bistil_core.settings.trim import TrimSettings


class Experiment(Section):
    """What a result calls itself."""

    name: str
    synthetic: bool = Field(description="True where any data is made up: never to be taken for the benchmark.")


class Configuration(Section):
    """Everything that config.yaml may say."""

    experiment: Experiment
    source_language: str = "en"
    seed: int = Field(default=1, ge=0)
    base_models: dict[str, BaseModelSettings] = Field(min_length=1)
    corpora: dict[str, CorpusSettings] = Field(description="By language code.")
    trim: TrimSettings = TrimSettings()
    phase1: Phase1Settings
    language_sft: dict[str, LanguageSft] = Field(
        default_factory=dict, description="By language: what adapts the teacher to it; those left out have none."
    )
    train_language_sft: TrainLanguageSftSettings | None = Field(
        default=None, description="How the language SFTs that say `train` are learnt."
    )
    teacher: dict[str, TeacherSection] = Field(description="By task.")
    phase2: dict[str, Phase2Settings] = Field(description="By task.")
    benchmarks: dict[str, BenchmarkSettings] = Field(min_length=1)
    evaluate: EvaluateSettings = EvaluateSettings()
    checkpoints: CheckpointSettings = CheckpointSettings()
    keep_intermediates: bool = Field(
        default=True, description="False: what no later step needs any more is deleted; no result depends on it."
    )

    def teacher_languages(self, task: str) -> list[str]:
        """The languages that a task's teacher is fine-tuned on, the source language first."""
        others = set(self.teacher[task].languages or ()) - {self.source_language}
        return [self.source_language, *sorted(others)]

    def max_length(self, task: str) -> int:
        """Tokens per example in a task's tests: as its teacher was trained, or as phase 2 reads where it was not."""
        return (self.teacher[task].fine_tuning or self.phase2[task]).max_length
