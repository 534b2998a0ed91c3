"""The shipped verifier, loaded as what it is: a file that nothing of ours imports."""

import importlib.util
from types import ModuleType

from storage.verifier import VERIFIER


def load() -> ModuleType:
    """Load the program without putting it among our modules."""
    spec = importlib.util.spec_from_file_location("shipped", VERIFIER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


V = load()
