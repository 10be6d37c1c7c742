"""The cost of each step, from the configuration and the sizes of models and data."""

import math
from dataclasses import replace
from typing import Any

from bistil_core import resources
from bistil_core.planning.costs import Cost, Training, checkpoints, forward_flops, parameters, weights
from bistil_core.planning.sizes import COMPRESSED, EXAMPLE_BYTES, KEPT_TOKENS, Sizes
from bistil_core.resources import ModelShape, Need
from bistil_core.settings.configuration import Configuration
from bistil_core.settings.optimisation import Optimisation, SparseOptimisation

BYTES_OF_A_TOKEN = 4
"""Of text, in a corpus that is cut into blocks."""

SPARSE_ENTRY = 8
"""Bytes of one difference of a sparse fine-tuning: an index and a value."""

VALIDATION_EXAMPLES = 0.03
"""Of the training examples where validation data are not counted, at least 500."""


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
        cut = self.cut(base)
        return replace(cut, layers=-(-cut.layers // self.settings.phase1.layer_reduction_factor))

    def text(self, language: str) -> float:
        """Bytes of a language's corpus."""
        return self.sizes.text(language, self.settings.corpora[language].source)

    def model_download(self, base: str) -> Cost:
        """A base model from the hub."""
        size = weights(self.shape(base))
        return Cost(download=size, disk=size)

    def sft_download(self, base: str) -> Cost:
        """A published sparse fine-tuning of some percent of the model."""
        size = 0.08 * SPARSE_ENTRY * parameters(self.shape(base))
        return Cost(download=size, disk=size)

    def corpus_download(self, language: str) -> Cost:
        """A corpus from the hub."""
        size = COMPRESSED * self.text(language)
        return Cost(download=size, disk=size)

    def corpus(self, language: str) -> Cost:
        """Reading, cleaning and splitting."""
        text = self.text(language)
        return Cost(text=text, disk=COMPRESSED * text, memory=resources.reading_need(0).bytes)

    def base_model(self, base: str) -> Cost:
        """Reading and writing a model."""
        shape = self.shape(base)
        return Cost("weights", disk=weights(shape), memory=resources.loading_need(shape).bytes)

    def counts(self, language: str) -> Cost:
        """Tokenising a corpus."""
        text = self.text(language)
        return Cost("weights", text=text, disk=20e3, memory=resources.reading_need(COMPRESSED * text).bytes)

    def vocabulary(self, base: str, target: str) -> Cost:
        """Cutting the tokenizer, with statistics of a sample of both corpora."""
        data = COMPRESSED * sum(map(self.text, (self.settings.source_language, target)))
        memory = resources.loading_need(self.shape(base)).bytes + resources.reading_need(data).bytes
        return Cost("weights", disk=100 * self.cut(base).vocabulary, memory=memory)

    def training_data(self, task: str) -> Cost:
        """Reading and writing labelled examples."""
        examples = self.sizes.training_examples(task, self.settings.teacher[task].train)
        return Cost(examples=examples, disk=COMPRESSED * EXAMPLE_BYTES * examples, memory=resources.PROCESS)

    def test_data(self, task: str, source: Any) -> Cost:
        """The same for tests."""
        examples = self.sizes.test_examples(task, source)
        return Cost(examples=examples, disk=COMPRESSED * EXAMPLE_BYTES * examples, memory=resources.PROCESS)

    def language_sft(self, base: str, language: str) -> Cost:
        """Both phases of masked language modelling."""
        settings, shape = self.settings.train_language_sft, self.shape(base)
        data = COMPRESSED * self.text(language)
        blocks = self.text(language) / BYTES_OF_A_TOKEN / settings.block_length
        an_epoch = math.ceil(blocks / settings.batch_size)
        steps = max(settings.minimum_steps, min(settings.maximum_steps, round(settings.maximum_epochs * an_epoch)))
        every = min(settings.evaluate_every or an_epoch, steps)
        training = Training(
            shape, None, settings.batch_size, settings.block_length, 2 * steps,
            2 * steps / every * settings.validation_blocks, shape.vocabulary,
        )  # fmt: skip
        disk = settings.density * SPARSE_ENTRY * parameters(shape)
        return self._training(
            training, settings, resources.language_sft_need(shape, settings, data), disk, self.text(language)
        )

    def phase1(self, base: str, target: str) -> Cost:
        """General distillation."""
        settings, student = self.settings.phase1, self.student(base)
        texts = [self.text(language) for language in (self.settings.source_language, target)]
        held = [
            self.settings.corpora[language].validation_fraction * text / BYTES_OF_A_TOKEN / settings.block_length
            for language, text in zip((self.settings.source_language, target), texts, strict=True)
        ]
        validations = math.ceil(settings.steps / settings.evaluate_every)
        training = Training(
            student, self.cut(base), settings.batch_size, settings.block_length, settings.steps,
            validations * sum(min(settings.validation_blocks, blocks) for blocks in held),
        )  # fmt: skip
        need = resources.phase1_need(self.shape(base), settings, COMPRESSED * sum(texts))
        return self._training(training, settings, need, weights(student), sum(texts) if settings.steps else 0.0)

    def teacher(self, base: str, task: str) -> Cost:
        """The task teacher: a whole model and its sparse fine-tuning."""
        settings, shape = self.settings.teacher[task].fine_tuning, self.shape(base)
        if settings is None:
            disk = weights(shape) + self.sft_download(base).disk
            return Cost("training", disk=disk, memory=resources.loading_need(shape).bytes)
        disk = weights(shape) + settings.density * SPARSE_ENTRY * parameters(shape)
        return self._fine_tuning(shape, None, task, settings, disk)

    def phase2(self, base: str, task: str) -> Cost:
        """Distillation of the task."""
        settings, student = self.settings.phase2[task], self.student(base)
        teacher = self.cut(base) if settings.teacher == "fine_tuned" else None
        disk = settings.density * SPARSE_ENTRY * parameters(student)
        return self._fine_tuning(student, teacher, task, settings, disk)

    def evaluation(self, base: str, task: str, source: Any, *, student: bool) -> Cost:
        """Scores on one test set."""
        shape = self.student(base) if student else self.shape(base)
        max_length, evaluate = self.settings.max_length(task), self.settings.evaluate
        examples, length = self.sizes.test_examples(task, source), self.sizes.tokens(task, source, max_length)
        need = resources.scoring_need(shape, examples, evaluate.batch_size, max_length, 0)
        return Cost(
            "training", flops=forward_flops(shape, examples * length, length), resamplings=1,
            passes=shape.layers * examples / evaluate.batch_size, memory=need.bytes, disk=1e3, trains=True,
        )  # fmt: skip

    def export(self, base: str) -> Cost:
        """Reading and writing a student."""
        student = self.student(base)
        return Cost("training", disk=weights(student), memory=resources.loading_need(student).bytes)

    def speed(self, base: str) -> Cost:
        """Timing the teacher and the student, of a batch and of single rows."""
        shapes, evaluate = (self.shape(base), self.student(base)), self.settings.evaluate
        rows = (evaluate.speed_repeats + 2) * (1 + 32)
        flops = sum(forward_flops(shape, rows * evaluate.speed_length, evaluate.speed_length) for shape in shapes)
        memory = resources.scoring_need(shapes[0], 0, 32, evaluate.speed_length, 0).bytes
        return Cost("training", flops=flops, timings=1, memory=memory, disk=1e3)

    def _fine_tuning(
        self, model: ModelShape, teacher: ModelShape | None, task: str, settings: SparseOptimisation, disk: float
    ) -> Cost:
        source = self.settings.teacher[task].train
        examples = self.sizes.training_examples(task, source)
        an_epoch = math.ceil(examples / settings.batch_size)
        epochs = settings.dense_epochs + (settings.sparse_epochs if settings.density < 1 else 0.0)
        steps = epochs * an_epoch
        validation = self.settings.teacher[task].validation
        held = validation.examples if validation.kind == "miniature" else max(500, VALIDATION_EXAMPLES * examples)
        training = Training(
            model, teacher, settings.batch_size, self.sizes.tokens(task, source, settings.max_length), steps,
            steps / (settings.evaluate_every or an_epoch) * held,
        )  # fmt: skip
        need = resources.fine_tuning_need(model, settings, examples, COMPRESSED * EXAMPLE_BYTES * examples, teacher)
        return self._training(training, settings, need, disk, EXAMPLE_BYTES * examples)

    def _training(self, training: Training, settings: Optimisation, need: Need, disk: float, text: float) -> Cost:
        return Cost(
            "training", flops=training.flops, passes=training.passes, text=text, precision=settings.precision,
            memory=need.bytes, disk=disk, scratch=checkpoints(training.model), trains=True,
        )  # fmt: skip
