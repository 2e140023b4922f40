"""Device, precision, threads and distributed processes. The only file that names devices."""

import contextlib
import ctypes
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sparring.core.errors import ConfigError, did_you_mean
from sparring.core.progress import process_rank

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
PrecisionName = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Runtime:
    """Device, precision and processes of a run.

    Arguments:
        device: of networks and batches.
        bf16: whether networks compute in bfloat16; weights, optimizers, averages and penalties stay in float32.
        rank: number of this process.
        world_size: number of processes.
        auto_threads: whether the number of CPU threads may be chosen (it was not given, and it matters).
    """

    device: torch.device
    bf16: bool = False
    rank: int = 0
    world_size: int = 1
    auto_threads: bool = False

    @property
    def is_main_process(self) -> bool:
        """Whether this is the process that writes the run folder."""
        return self.rank == 0

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """The context in which networks run: bfloat16 where it is enabled."""
        if not self.bf16:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def to_device(self, module: nn.Module) -> nn.Module:
        """Move a network to the device, in the channels-last memory format."""
        return module.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def use_threads(self, threads: int) -> None:
        """Set the number of CPU threads if it was not given: only with the same number does a run resume bit for bit."""
        if self.auto_threads and 1 <= threads <= (os.cpu_count() or 1):
            torch.set_num_threads(threads)

    def describe(self) -> dict[str, object]:
        """Everything outside the settings that the bits of a run depend on, for `run.json`."""
        return {
            "torch": torch.__version__,
            "device": self.device.type,
            "precision": "bf16" if self.bf16 else "fp32",
            "threads": torch.get_num_threads(),
            "processes": self.world_size,
        }

    def manual_seed(self, seed: int) -> None:
        """Seed torch's global generators, from which layers such as dropout draw."""
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Average the gradients over all processes, in one call; safe for double backward, as no hooks are involved."""
        if self.world_size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.world_size
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()

    def mean_over_processes(self, values: Tensor) -> Tensor:
        """The mean over all processes of values that are means over equal shares of the batch; `values` is overwritten."""
        if self.world_size > 1:
            dist.all_reduce(values)
            values = values / self.world_size
        return values

    def any_process(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        if self.world_size == 1:
            return flag
        shared = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(shared, op=dist.ReduceOp.MAX)
        return bool(shared)

    def broadcast(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite the tensors of all processes with those of the main process."""
        if self.world_size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def broadcast_int(self, value: int) -> int:
        """The value of the main process, in all processes."""
        shared = torch.tensor(value, dtype=torch.int64, device=self.device)
        self.broadcast([shared])
        return int(shared)

    def close(self) -> None:
        """Leave the process group."""
        if dist.is_initialized():
            dist.destroy_process_group()


@contextlib.contextmanager
def single_thread() -> Iterator[None]:
    """In this context the CPU computes with one thread, so that the bits of a sum do not depend on their number."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def start_runtime(
    device: DeviceName | str = "auto",
    precision: PrecisionName | str = "auto",
    threads: int | None = None,
    *,
    images: bool = True,
) -> Runtime:
    """Set up the device, precision and threads, and the process group under `torchrun`.

    Arguments:
        device: `auto` takes a GPU if there is one.
        precision: `auto` takes bfloat16 for images where the processor has fast instructions for it.
        threads: of the CPU; None leaves torch's choice.
        images: False for points, whose small networks gain nothing from bfloat16.

    Raises:
        ConfigError: this machine has no such device.
    """
    rank, world = process_rank(), int(os.environ.get("WORLD_SIZE", 1))
    chosen = _choose_device(device, int(os.environ.get("LOCAL_RANK", 0)))
    if threads is not None:
        torch.set_num_threads(threads)
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    _enable_fast_matmul(chosen)
    _tune_malloc()
    bf16 = precision == "bf16" or (precision == "auto" and images and _bf16_is_fast(chosen))
    free = threads is None and chosen.type == "cpu" and world == 1
    return Runtime(chosen, bf16, rank, world, free)


def all_gather(rows: Tensor) -> Tensor:
    """The rows of all processes in the order of their ranks, equally many of each."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return rows
    parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, rows)
    return torch.cat(parts)


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished, so that times can be measured."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _choose_device(name: str, local_rank: int) -> torch.device:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = "cuda" if available["cuda"] else "cpu"
    if not available.get(name, False):
        names = ", ".join(device for device, present in available.items() if present)
        raise ConfigError(
            f"--device {name}",
            f"a device of this machine: {names}",
            "leave --device out to take the best one",
        )
    return torch.device(name, local_rank) if name == "cuda" else torch.device(name)


def _tune_malloc() -> None:
    """Let the C library keep freed memory, instead of returning it to the system and faulting it in at every step."""
    try:
        library = ctypes.CDLL("libc.so.6")
        trim_threshold, mmap_threshold = -1, -3
        library.mallopt(mmap_threshold, 1 << 30)
        library.mallopt(trim_threshold, (1 << 31) - 1)
    except (OSError, AttributeError):
        pass  # not glibc


def _bf16_is_fast(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    if device.type == "cpu":
        return bool(
            getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()
            or getattr(torch.cpu, "_is_amx_tile_supported", bool)()
        )
    return False


def _enable_fast_matmul(device: torch.device) -> None:
    """Send float32 matrix products to the faster CPU library, if a trial shows that it costs no accuracy."""
    if device.type != "cpu":
        torch.backends.cudnn.benchmark = device.type == "cuda"
        return
    products: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    left = torch.linspace(-1, 1, 128 * 96).reshape(96, 128)
    right = torch.linspace(1, -2, 128 * 64).reshape(128, 64)
    exact = left.double() @ right.double()
    before = products.fp32_precision
    products.fp32_precision = "bf16"
    error = (left @ right - exact).abs().max() / exact.abs().max()
    if error > 1e-5:
        products.fp32_precision = before


@dataclass(frozen=True, kw_only=True)
class DeviceOptions:
    """The options `--device`, `--precision` and `--threads`; see `start_runtime`.

    Arguments:
        device: `cpu`, `cuda` or `mps`; `auto` takes a GPU if there is one.
        precision: of the networks, `fp32` or `bf16`; `auto` takes bfloat16 for images where the processor has fast instructions
            for it.
        threads: number of CPU threads, at least 1; None leaves torch's choice.

    Raises:
        ConfigError: an unknown precision, or fewer than 1 thread.
    """

    device: DeviceName | str = "auto"
    precision: PrecisionName | str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        known = get_args(PrecisionName)
        if self.precision not in known:
            raise ConfigError(
                f"precision {self.precision!r}",
                f"one of {', '.join(known)}",
                did_you_mean(str(self.precision), list(known)),
            )
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"threads {self.threads}", "at least 1", "leave it out to use all")

    def start(self, images: bool = True) -> Runtime:
        """Start the runtime for images or points."""
        return start_runtime(self.device, self.precision, self.threads, images=images)
