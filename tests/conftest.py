"""What holds for every test."""

from hypothesis import settings

# A busy machine is slow now and then: how long an example takes proves nothing.
settings.register_profile("census", deadline=None)
settings.load_profile("census")
