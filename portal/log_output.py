"""Another program's module, run in this process with everything it prints as our log.

``python -m portal.log_output COMMAND MODULE ARGUMENT...`` is how a worker, which is Prefect's own,
logs as its settings say.
"""

from __future__ import annotations

import runpy
import sys

from portal.logs import logged


def main() -> None:
    """Run the module that the arguments name."""
    _, command, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    with logged(command):
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
