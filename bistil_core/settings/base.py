"""The base of every section: unknown keys are errors, nothing but whole numbers is coerced, values do not change."""

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]
Density = Annotated[float, Field(gt=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A part of the configuration.

    Strict: text and truth values are no numbers. 1 is a float as good as 1.0, and 3.0 an integer as good as 3.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _whole_numbers(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {key: int(value) if cls._is_whole(key, value) else value for key, value in values.items()}

    @classmethod
    def _is_whole(cls, key: Any, value: Any) -> bool:
        if key not in cls.model_fields or not isinstance(value, float) or not value.is_integer():
            return False
        annotation = cls.model_fields[key].annotation
        allowed = {annotation, *get_args(annotation)}
        return int in allowed and float not in allowed
