"""The student's architecture and its initialisation from the teacher (BiStil section 3.2)."""

import copy
import re

import torch
from transformers import PretrainedConfig, PreTrainedModel

from bistil_core.errors import BistilError
from bistil_core.models.families import family_of


def student_config(config: PretrainedConfig, layer_reduction_factor: int) -> PretrainedConfig:
    """The teacher's configuration with L / `layer_reduction_factor` layers and every dropout rate 0.

    Where layers are of several kinds (`layer_types`), each student layer is of the kind of the one that it copies.

    Raises:
        BistilError: the factor does not divide the teacher's number of layers.
    """
    layers = config.num_hidden_layers
    if layer_reduction_factor < 1 or layers % layer_reduction_factor:
        divisors = [str(factor) for factor in range(1, layers + 1) if layers % factor == 0]
        raise BistilError(
            f"phase1.layer_reduction_factor: {layer_reduction_factor} does not divide the teacher's {layers} "
            f"layers; choose one of {', '.join(divisors)}"
        )
    student = copy.deepcopy(config)
    student.num_hidden_layers = layers // layer_reduction_factor
    if kinds := getattr(config, "layer_types", None):
        student.layer_types = list(kinds[layer_reduction_factor - 1 :: layer_reduction_factor])
    for name, value in config.to_dict().items():
        if "dropout" in name and isinstance(value, float):
            setattr(student, name, 0.0)
    return student


def build_student(teacher: PreTrainedModel, layer_reduction_factor: int = 2) -> PreTrainedModel:
    """A headless student: layer i (from 1) is a copy of teacher layer i * s, all else is copied as it is.

    Args:
        teacher: any transformers encoder, with or without a head; it is not changed.
        layer_reduction_factor: s = L_teacher / L_student.

    Returns:
        A model of the teacher's encoder class, in its dtype, in evaluation mode, sharing no memory with it.

    Raises:
        BistilError: s does not divide the teacher's layers, or the family is unknown.
    """
    encoder = teacher.base_model
    config = student_config(encoder.config, layer_reduction_factor)
    layers = re.escape(family_of(config.model_type).layers)
    student = type(encoder)(config).to(encoder.dtype)
    if getattr(encoder, "pooler", None) is None and hasattr(student, "pooler"):
        student.pooler = None

    def teacher_name(name: str) -> str:
        def times_factor(match: re.Match) -> str:
            return f"{match[1]}.{(int(match[2]) + 1) * layer_reduction_factor - 1}."

        return re.sub(rf"^({layers})\.(\d+)\.", times_factor, name)

    weights = encoder.state_dict()
    with torch.no_grad():
        student.load_state_dict({name: weights[teacher_name(name)] for name in student.state_dict()})
    return student.to(encoder.device).eval()
