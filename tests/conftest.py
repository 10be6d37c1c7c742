"""For all tests: a busy machine is no reason to fail, so hypothesis times nothing."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
