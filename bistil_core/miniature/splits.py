"""Which events are told in training, validation and test examples: the same for every task, whatever the seed."""

import zlib
from random import Random
from typing import Literal

from bistil_core.miniature.lexicon import HYPERNYMS, OPPOSITE_VERBS
from bistil_core.miniature.world import Scene, draw_scene

SPLITS = ("train", "validation", "test")
Split = Literal["train", "validation", "test"]


def split_of(scene: Scene) -> Split:
    """The split of all that is told of this subject, pair of verbs and kind of object: what every sentence says."""
    verbs = sorted((scene.verb, OPPOSITE_VERBS[scene.verb]))
    key = "/".join((scene.subject, verbs[0], HYPERNYMS[scene.noun]))
    bucket = zlib.crc32(key.encode()) % 10
    return "test" if bucket == 0 else "validation" if bucket == 1 else "train"


def draw_scene_of(split: Split, random: Random) -> Scene:
    """A scene that belongs to this split."""
    while True:
        scene = draw_scene(random)
        if split_of(scene) == split:
            return scene
