"""The cost of each step, from the configuration and the sizes of models and data."""

from dataclasses import dataclass, field, replace
from typing import Any

from bistil_core.planning import resources
from bistil_core.planning.resources import COMPRESSED, Need
from bistil_core.planning.shapes import ModelShape
from bistil_core.planning.sizes import EXAMPLE_BYTES, KEPT_TOKENS, Sizes
from bistil_core.settings.configuration import Configuration
from bistil_core.settings.optimisation import SparseOptimisation

SPARSE_ENTRY = 8
"""Bytes of one difference of a sparse fine-tuning: an index and a value."""

VALIDATION_EXAMPLES = 0.03
"""Of the training examples where validation data are not counted, at least 500."""

CHECKPOINTS = 4
"""Of a training: the best, the newest two, and the one that is being written."""


@dataclass(frozen=True)
class Cost:
    """What one step takes.

    Attributes:
        need: of memory and time.
        disk: bytes of what is written and stays.
        scratch: bytes of checkpoints, which go when the step has ended.
        download: bytes from the network.
        trains: whether a GPU does it, where there is one.
    """

    need: Need = field(default_factory=Need)
    disk: float = 0.0
    scratch: float = 0.0
    download: float = 0.0
    trains: bool = False


class Estimates:
    """Costs of the steps of one configuration.

    Args:
        sizes: of models and data; it notes what it has to assume.
    """

    def __init__(self, configuration: Configuration, sizes: Sizes):
        self.settings = configuration
        self.sizes = sizes

    def shape(self, base: str) -> ModelShape:
        """The shape of a base model."""
        return self.sizes.model(base, self.settings.base_models[base].source)

    def cut(self, base: str) -> ModelShape:
        """A base model with the vocabulary of two languages."""
        full = self.shape(base)
        return replace(full, vocabulary=min(KEPT_TOKENS, full.vocabulary))

    def student(self, base: str) -> ModelShape:
        """A student."""
        return resources.student_of(self.cut(base), self.settings.phase1)

    def text(self, language: str) -> float:
        """Bytes of a language's corpus."""
        return self.sizes.text(language, self.settings.corpora[language].source)

    def model_download(self, base: str) -> Cost:
        """A base model from the hub."""
        size = self.shape(base).weights
        return Cost(download=size, disk=size)

    def sft_download(self, base: str) -> Cost:
        """A published sparse fine-tuning of some percent of the model."""
        size = 0.08 * SPARSE_ENTRY * self.shape(base).parameters
        return Cost(download=size, disk=size)

    def corpus_download(self, language: str) -> Cost:
        """A corpus from the hub."""
        size = COMPRESSED * self.text(language)
        return Cost(download=size, disk=size)

    def corpus(self, language: str) -> Cost:
        """Reading, cleaning and splitting."""
        text = self.text(language)
        return Cost(Need(text=text), disk=COMPRESSED * text)

    def base_model(self, base: str) -> Cost:
        """Reading and writing a model."""
        shape = self.shape(base)
        return Cost(resources.loading_need(shape), disk=shape.weights)

    def counts(self, language: str) -> Cost:
        """Tokenising a corpus."""
        return Cost(resources.reading_need(COMPRESSED * self.text(language)), disk=20e3)

    def vocabulary(self, base: str, target: str) -> Cost:
        """Cutting the tokenizer, with statistics of held-out text of both corpora."""
        held_out = COMPRESSED * sum(
            self.settings.corpora[language].validation_fraction * self.text(language)
            for language in (self.settings.source_language, target)
        )
        return Cost(resources.trimming_need(self.shape(base), held_out), disk=100 * self.cut(base).vocabulary)

    def training_data(self, task: str) -> Cost:
        """Reading and writing labelled examples."""
        return self._examples(self.sizes.training_examples(task, self.settings.teacher[task].train))

    def test_data(self, task: str, source: Any) -> Cost:
        """The same for tests."""
        return self._examples(self.sizes.test_examples(task, source))

    def language_sft(self, base: str, language: str) -> Cost:
        """Both phases of masked language modelling."""
        settings, shape = self.settings.train_language_sft, self.shape(base)
        need = resources.language_sft_need(shape, settings, COMPRESSED * self.text(language))
        return self._training(shape, need, settings.density * SPARSE_ENTRY * shape.parameters)

    def phase1(self, base: str, target: str) -> Cost:
        """General distillation."""
        text = self.text(self.settings.source_language) + self.text(target)
        need = resources.phase1_need(self.shape(base), self.settings.phase1, COMPRESSED * text)
        return self._training(self.student(base), need, self.student(base).weights)

    def teacher(self, base: str, task: str) -> Cost:
        """The task teacher: a whole model and its sparse fine-tuning."""
        settings, shape = self.settings.teacher[task].fine_tuning, self.shape(base)
        if settings is None:
            disk = shape.weights + self.sft_download(base).disk
            return Cost(resources.loading_need(shape, "training"), disk=disk)
        disk = shape.weights + settings.density * SPARSE_ENTRY * shape.parameters
        languages = len(self.settings.teacher_languages(task))
        return self._training(shape, self._fine_tuning(shape, None, task, settings, languages), disk)

    def phase2(self, base: str, task: str) -> Cost:
        """Distillation of the task."""
        settings, student = self.settings.phase2[task], self.student(base)
        teacher = self.cut(base) if settings.teacher == "fine_tuned" else None
        disk = settings.density * SPARSE_ENTRY * student.parameters
        return self._training(student, self._fine_tuning(student, teacher, task, settings), disk)

    def evaluation(self, base: str, task: str, source: Any, *, student: bool) -> Cost:
        """Scores on one test set."""
        max_length = self.settings.max_length(task)
        need = resources.scoring_need(
            self.student(base) if student else self.shape(base),
            examples=self.sizes.test_examples(task, source),
            batch=self.settings.evaluate.batch_size,
            length=max_length,
            tokens=self.sizes.tokens(task, source, max_length),
        )
        return Cost(need, disk=1e3, trains=True)

    def export(self, base: str) -> Cost:
        """Reading and writing a student."""
        student = self.student(base)
        return Cost(resources.loading_need(student, "training"), disk=student.weights)

    def speed(self, base: str) -> Cost:
        """Timing the teacher and the student, of a batch and of single rows."""
        return Cost(resources.timing_need(self.shape(base), self.student(base), self.settings.evaluate), disk=1e3)

    def _examples(self, examples: int) -> Cost:
        return Cost(Need(examples=examples), disk=COMPRESSED * EXAMPLE_BYTES * examples)

    def _fine_tuning(
        self,
        model: ModelShape,
        teacher: ModelShape | None,
        task: str,
        settings: SparseOptimisation,
        languages: int = 1,
    ) -> Need:
        source, validation = self.settings.teacher[task].train, self.settings.teacher[task].validation
        examples = languages * self.sizes.training_examples(task, source)
        return resources.fine_tuning_need(
            model,
            settings,
            examples=examples,
            validation=languages * validation.examples
            if validation.kind == "miniature"
            else max(500, VALIDATION_EXAMPLES * examples),
            data=COMPRESSED * EXAMPLE_BYTES * examples,
            tokens=self.sizes.tokens(task, source, settings.max_length),
            teacher=teacher,
        )

    def _training(self, model: ModelShape, need: Need, disk: float) -> Cost:
        return Cost(need, disk=disk, scratch=CHECKPOINTS * 3 * model.weights, trains=True)
