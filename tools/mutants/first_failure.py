"""A pytest plugin: laws end at the first example that breaks them. Who looks for a small one waits
for minutes, and a mutant needs none."""

from hypothesis import Phase, settings

settings.register_profile(
    "first failure", phases=(Phase.explicit, Phase.reuse, Phase.generate), database=None
)
settings.load_profile("first failure")
