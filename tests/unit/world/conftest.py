"""How the property tests run."""

from hypothesis import settings

# A deadline per example measures how busy the machine is, not the code.
settings.register_profile("properties", deadline=None)
settings.load_profile("properties")
