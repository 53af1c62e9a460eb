"""A machine in QEMU: a kernel package of Debian, one program, and what it printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.kernels.initramfs import Entry, archive, folder, program

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "kernels"
QEMU = "qemu-system-x86_64"
PATIENCE = 240

_INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /tmp /dev /sys/fs/cgroup
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t debugfs debug /sys/kernel/debug
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t tmpfs tmp /tmp
/bin/busybox mount -t cgroup2 cgroup /sys/fs/cgroup
/bin/busybox ip link set lo up
for module in /modules/*; do /bin/busybox insmod $module; done
export EYAS_OWN_MACHINE=1
/bin/program
echo "ended with $?"
/bin/busybox poweroff -f
"""


class UnavailableError(Exception):
    """What is missing here."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel image with the modules that the program can use."""

    version: str
    image: Path
    modules: tuple[Path, ...]


def kernel(series: str) -> Kernel:
    """The newest kernel of a series that Debian's archive has, fetched once."""
    package = _package(series)
    home = CACHE / package
    if not list(home.glob("boot/vmlinuz-*")):
        _fetch(package, home)
    image = next(home.glob("boot/vmlinuz-*"))
    modules = tuple(sorted(home.glob("lib/modules/*/kernel/fs/overlayfs/overlay.ko*")))
    return Kernel(package, image, tuple(_unpacked(module) for module in modules))


def _package(series: str) -> str:
    if shutil.which("apt-cache") is None:
        raise UnavailableError("apt is not here to fetch kernels")
    pattern = rf"^linux-image-{re.escape(series)}[.][0-9]+[-+][-+0-9a-z]*cloud-amd64$"
    found = subprocess.run(
        ["apt-cache", "search", "--names-only", pattern], capture_output=True, text=True, check=False
    )
    names = [line.split()[0] for line in found.stdout.splitlines()]
    if not names:
        raise UnavailableError(f"Debian's archive has no cloud kernel {series} here")
    return max(names, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])


def _fetch(package: str, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["apt-get", "download", package], cwd=home, capture_output=True, text=True, check=False
    )
    files = list(home.glob("*.deb"))
    if done.returncode or not files:
        raise UnavailableError(f"{package} cannot be fetched: {done.stderr.strip()[-200:]}")
    subprocess.run(["dpkg-deb", "-x", files[0], home], check=True)
    files[0].unlink()


def _unpacked(module: Path) -> Path:
    if module.suffix != ".xz":
        return module
    plain = module.with_suffix("")
    if not plain.exists():
        import lzma

        plain.write_bytes(lzma.decompress(module.read_bytes()))
    return plain


def boot(kernel: Kernel, binary: Path, scratch: Path) -> str:
    """Boot, run the program as the only one, and give everything that was printed."""
    qemu, busybox = shutil.which(QEMU), shutil.which("busybox")
    if qemu is None or busybox is None:
        raise UnavailableError(f"{QEMU} or busybox is not installed")
    entries = [
        Entry("init", 0o100755, _INIT.encode()),
        Entry("etc/passwd", 0o100644, b"root:x:0:0:root:/:/bin/sh\n"),
        folder("usr/lib"),
        *program(Path(busybox), "bin/busybox"),
        *program(binary, "bin/program"),
        *(Entry(f"modules/{module.name}", 0o100644, module.read_bytes()) for module in kernel.modules),
    ]
    initramfs = scratch / "initramfs"
    initramfs.write_bytes(archive(entries))
    command = [
        qemu, *_engine(), "-m", "1024", "-smp", "2", "-nographic", "-no-reboot", "-nic", "none",
        "-kernel", str(kernel.image), "-initrd", str(initramfs), "-append", "console=ttyS0 quiet panic=-1",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False
    )
    return done.stdout + done.stderr


def _engine() -> list[str]:
    """KVM, unless this machine is a guest itself: nested, not every instruction works."""
    nested = "hypervisor" in Path("/proc/cpuinfo").read_text()
    if os.access("/dev/kvm", os.W_OK) and not nested:
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", "tcg", "-cpu", "max"]
