"""A model that an earlier step has downloaded from the Hugging Face hub."""

from pathlib import Path

from bistil_core.downloads import model_folder, record_of
from bistil_core.errors import BistilError
from bistil_core.files import read_json
from bistil_core.models.base_sources import Identity
from bistil_core.models.model_files import WEIGHTS, copy_model
from bistil_core.models.pickled_weights import PICKLED, to_safetensors
from bistil_core.settings.sources import HubModel


def write(source: HubModel, folder: Path, name: str, seed: int) -> Identity:
    """A copy of it, its weights as safetensors.

    Raises:
        BistilError: it is of another type than the configuration says.
    """
    downloaded = model_folder(source)
    record = record_of(downloaded)
    weights = WEIGHTS if (downloaded / WEIGHTS).is_file() else PICKLED
    copy_model(downloaded, folder, name, weights)
    if weights == PICKLED:
        to_safetensors(downloaded / PICKLED, folder / WEIGHTS)
    found = read_json(folder / "config.json")["model_type"]
    if source.model_type not in (None, found):
        raise BistilError(
            f"base_models.{name}.source.model_type: {source.repository} is of type {found!r}, "
            f"the configuration says {source.model_type!r}; correct it"
        )
    return Identity(source.repository, record["commit"])
