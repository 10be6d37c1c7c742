"""What each step asks of a cluster: memory, minutes, GPUs; more at each attempt. Profiles overrule it step by step."""

from math import ceil

from bistil_core import resources
from bistil_core.resources import ModelShape, parquet_size, rows_in

CPU_TFLOPS = 0.03
"""What one thread of a CPU does in such a step, in teraFLOP/s, at the lower end of what was measured."""

READ_PER_SECOND = 0.2e6
"""Bytes of compressed text that are read, cleaned and tokenised in a second, likewise."""

MARGIN = 1.5
MINUTES_AT_LEAST = 15


def gpu_tflops():
    """Speed of the cluster's GPUs, which its profile gives among the default resources; none: CPUs do it."""
    given = workflow.resource_settings._parsed_default_resources.get("tflops").raw
    return CPU_TFLOPS if given is None else float(given)


def needs(need_of, trains=False):
    """The resources of a step: `need_of` takes its wildcards and inputs, which must be there to be asked about."""

    def need_or_default(wildcards, input):
        try:
            return need_of(wildcards, input)
        except resources.NotMadeYet:
            raise
        except (OSError, ValueError, KeyError):
            # Files that cannot be read are the step's to complain of, in words for the person who gave them.
            return resources.Need()

    def megabytes(wildcards, input, attempt):
        return ceil(attempt * MARGIN * need_or_default(wildcards, input).bytes / 1e6)

    def minutes(wildcards, input, attempt):
        need = need_or_default(wildcards, input)
        speed = gpu_tflops() if trains else CPU_TFLOPS
        seconds = need.flops / (speed * 1e12) + need.read / READ_PER_SECOND
        return ceil(attempt * (MINUTES_AT_LEAST + MARGIN * seconds / 60))

    return {"mem_mb": megabytes, "runtime": minutes, "gpu": local_gpus() if trains else 0}


def local_gpus():
    """1 where the step runs on this machine and it has a GPU, so that no other such step runs beside it."""
    return min(1, usable_gpus()) if LOCAL else 0


def light_need(wildcards, input):
    """Little memory, little work."""
    return resources.Need()


def corpus_need(wildcards, input):
    """Text is read as a stream; what is downloaded is compressed, as what is written."""
    files = (
        Path(file) for folder in map(Path, input) for file in ([folder] if folder.is_file() else folder.rglob("*"))
    )
    return resources.Need(read=sum(file.stat().st_size for file in files if file.is_file()))


def base_model_need(wildcards, input):
    """A base model is read and written; of one that is made of nothing only the configuration knows the size."""
    source = base_model_source(wildcards)
    if source.kind == "random":
        return resources.Need(4 * resources.PROCESS)
    return resources.loading_need(
        ModelShape.of(MINIATURE if source.kind.startswith("miniature") else folder_of(source))
    )


def folder_of(source):
    """The folder that a base model is read from."""
    return source.path if source.kind == "folder" else model_folder(source)


def counting_need(wildcards, input):
    """The whole corpus is tokenised."""
    return resources.reading_need(parquet_size(input.corpus))


def trimming_need(wildcards, input):
    """The base model is cut, and both corpora are tokenised before and after for the statistics."""
    base = resources.loading_need(ModelShape.of(input.base_model))
    text = resources.reading_need(2 * parquet_size(input.source_corpus, input.target_corpus))
    return resources.Need(base.bytes + text.bytes, read=text.read)


def language_sft_need(wildcards, input):
    """Both phases of a language's sparse fine-tuning."""
    base = ModelShape.of(input.base_model)
    return resources.language_sft_need(base, trained_language_sft(), parquet_size(input.corpus))


def phase1_need(wildcards, input):
    """Phase 1 with all its steps; the student is at most as large as the cut base model."""
    data = parquet_size(input.source_corpus, input.target_corpus)
    return resources.phase1_need(ModelShape.of(input.base_model), SETTINGS.phase1, data)


def teacher_need(wildcards, input):
    """All epochs of the teacher."""
    examples = rows_in(input.data, "train.parquet")
    base = ModelShape.of(input.base_model)
    return resources.fine_tuning_need(base, teacher_settings(wildcards), examples, parquet_size(input.data))


def composing_need(wildcards, input):
    """The base model is read, changed and written."""
    return resources.loading_need(ModelShape.of(input.base_model))


def phase2_need(wildcards, input):
    """All epochs of phase 2, with the teacher beside the student."""
    teacher = ModelShape.of(input.teacher) if input.teacher else None
    return resources.fine_tuning_need(
        ModelShape.of(input.student),
        phase2_settings(wildcards),
        rows_in(input.data, "train.parquet"),
        parquet_size(input.data),
        teacher,
    )


def scoring_need(wildcards, input):
    """Every test example once."""
    examples = rows_in(input.test, "test.parquet")
    length = max_length(wildcards)["max_length"]
    batch = SETTINGS.evaluate.batch_size
    return resources.scoring_need(ModelShape.of(input.model), examples, batch, length, parquet_size(input.test))


def export_need(wildcards, input):
    """The student is read and written."""
    return resources.loading_need(ModelShape.of(input.student))


def both_models_need(wildcards, input):
    """Teacher and student are read, and run on few examples."""
    batch, length = 32, SETTINGS.evaluate.speed_length
    runs = 4 * batch * SETTINGS.evaluate.speed_repeats
    return resources.scoring_need(ModelShape.of(input.teacher), runs, batch, length, 0)
