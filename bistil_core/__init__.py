"""bistil: bilingual, small, fast models distilled from massively multilingual Transformers.

The public names below are loaded when first used, so that reading a configuration does not load torch.
"""

import importlib

_PUBLIC = {
    "attention_loss": "bistil_core.training.losses",
    "hidden_state_loss": "bistil_core.training.losses",
    "prediction_loss": "bistil_core.training.losses",
    "build_student": "bistil_core.models.student",
    "count_tokens": "bistil_core.vocabulary.counting",
    "kept_token_ids": "bistil_core.vocabulary.counting",
    "trim_vocabulary": "bistil_core.vocabulary.trimming",
    "select_parameters": "bistil_core.models.selection",
    "SparseFineTuning": "bistil_core.models.sparse",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
