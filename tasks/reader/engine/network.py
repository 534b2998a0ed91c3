"""One neural network on OpenVINO, shared by threads: compiled once, a request for each thread."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# With this the package believes that its telemetry is not installed; nothing is ever sent.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

# Behind the walls there is no /sys. The library ends with a crash where it cannot see the
# machine's cores, so it is told of them.
os.environ["HWLOC_SYNTHETIC"] = f"pack:1 core:{len(os.sched_getaffinity(0))} pu:1"

import openvino  # noqa: E402


class Network:
    """A network that any thread may run; each keeps a request of its own."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load and compile it for ``threads`` pages at a time, each on one core."""
        core = openvino.Core()
        self.model = core.read_model(path)
        self._compiled = core.compile_model(
            self.model,
            "CPU",
            {
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": threads,
                # Pinned, two processes sit on one core, whatever else is idle.
                "ENABLE_CPU_PINNING": "NO",
            },
        )
        self._own = threading.local()

    @property
    def precision(self) -> str:
        """In what numbers it computes here: ``f32``, or ``bf16`` where the processor has it."""
        return str(self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())

    def run(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the first output; it is valid until this thread's next call."""
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        request.infer([tensor], share_inputs=True)
        found: NDArray[np.float32] = request.get_output_tensor(0).data
        return found

    def forget(self) -> None:
        """Give back the room of the runs so far; none may be under way."""
        self._compiled.release_memory()

    def characters(self) -> list[str]:
        """Return the characters that a recognising network knows, in the order of its classes."""
        information: Any = self.model.get_rt_info()["framework"]
        return str(information["character"].value).splitlines()
