"""A real systemd that runs units of ours alone, in namespaces of its own.

It sees the machine's files read-only, with folders of its own over everything that a service writes; it knows no unit
but those that it is given, so that nothing of the machine's own boot (udev, tmpfiles, sysctl) is run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.servers.process import ServerFailedError, find_program

_PATIENCE = 30.0
_UNIT_PATH = "/etc/systemd/system:/run/units"
_SAID = "/var/log/services"
# there is no journal; and an interpreter with a shared library looks for it where it was built, which may be hidden
_LAID_OVER = f"""\
[Service]
StandardOutput=append:{_SAID}
StandardError=append:{_SAID}
Environment=LD_LIBRARY_PATH=/opt/python/lib
"""
_TARGETS = (
    "sysinit",
    "basic",
    "shutdown",
    "umount",
    "multi-user",
    "network-online",
    "nss-lookup",
    "time-sync",
)
_SET_UP = """\
set -e
mount --make-rprivate /
mkdir -p {stage}/etc {stage}/opt {stage}/var/lib {stage}/var/cache {stage}/var/log {stage}/var/tmp {stage}/units
cp -a /etc/. {stage}/etc
rm -rf {stage}/etc/systemd/system {stage}/etc/voucherd && mkdir -p {stage}/etc/systemd/system
cp -a {given}/etc/. {stage}/etc
cp -a {given}/units/. {stage}/units
cp -a {given}/opt/. {stage}/opt
mkdir -p {stage}/python && mount --bind {base} {stage}/python
mkdir -p {stage}/packages && mount --bind {packages} {stage}/packages
mkdir -p {stage}/code && mount --bind {code} {stage}/code

mount -o bind,ro /proc/sys /proc/sys
for place in etc opt var; do mount --rbind {stage}/$place /$place; done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/units && cp -a {stage}/units/. /run/units
mkdir -p /opt/python /opt/voucherd/lib/{python}/site-packages /opt/code
mount --rbind {stage}/python /opt/python
mount --rbind {stage}/packages /opt/voucherd/lib/{python}/site-packages
mount --rbind {stage}/code /opt/code
mount -o remount,bind,ro /
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount --make-rshared /
hostname voucherd-trial
exec env -i container=trial PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH={unit_path} \\
    {systemd} --system --unit=multi-user.target --log-target=console --show-status=0
"""


_BUS = {
    "dbus.socket": "[Socket]\nListenStream=/run/dbus/system_bus_socket\n",
    "dbus.service": """\
[Unit]
Requires=dbus.socket
[Service]
Type=notify
NotifyAccess=main
ExecStart={program} --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only
""",
}


class Systemd:
    """A booted systemd. `etc` is laid over /etc, `units` are the unit files by name.

    voucherd is installed in /opt/voucherd, run by a copy of this interpreter in /opt/python.
    """

    def __init__(self, etc: dict[str, str], units: dict[str, str]) -> None:
        self._systemd = find_program("systemd", "systemd", "/usr/lib/systemd", "/lib/systemd")
        self._folder = Path(tempfile.mkdtemp(prefix="voucherd-systemd-"))
        self._boot: subprocess.Popen[bytes] | None = None
        try:
            self._lay_out(etc, units)
            self._start()
        except BaseException:
            self.stop()
            raise

    def systemctl(self, *words: str) -> str:
        """What `systemctl …` answers; AssertionError where it fails."""
        answer = self.inside("systemctl", "--no-pager", *words)
        assert answer.returncode == 0, (
            f"systemctl {' '.join(words)}: {answer.stdout}{answer.stderr}\n{self.log}"
        )
        return answer.stdout

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command where that systemd's services live."""
        enter = ["nsenter", "-t", str(self._init), "--mount", "--pid", "--ipc", "--uts", "--", *command]
        return subprocess.run(enter, capture_output=True, text=True, timeout=_PATIENCE)

    def lay(self, path: str, content: str) -> None:
        """Writes a file that it sees."""
        done = self.inside("sh", "-c", 'mkdir -p "${1%/*}" && printf %s "$2" > "$1"', "sh", path, content)
        assert done.returncode == 0, done.stderr

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Those properties of a unit."""
        asked = self.systemctl("show", unit, *(f"--property={one}" for one in properties))
        return dict(line.split("=", 1) for line in asked.splitlines() if "=" in line)

    def until(self, unit: str, seconds: float = _PATIENCE, **wanted: str) -> dict[str, str]:
        """The unit's properties once they are as wanted; AssertionError, with the log, where they never are."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.show(unit, *wanted)
            if found == wanted:
                return found
            assert time.monotonic() < deadline, f"{unit} is {found}, not {wanted}:\n{self.log}"
            time.sleep(0.1)

    @property
    def log(self) -> str:
        """What systemd and its services said, the last of it."""
        services = self._folder / "stage" / _SAID[1:]
        said = [
            file.read_text(errors="replace") for file in (self._folder / "log", services) if file.exists()
        ]
        return "\n".join(said)[-6000:]

    def stop(self) -> None:
        """Ends it with all that it started."""
        if self._boot is not None:
            self._boot.kill()  # with --kill-child the init of the namespace, and with it everything in there
            self._boot.wait(_PATIENCE)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _lay_out(self, etc: dict[str, str], units: dict[str, str]) -> None:
        given = self._folder / "given"
        bus = find_program("dbus-daemon", "dbus")  # systemd-run --wait hears by it when its unit has ended
        units = {**{name: text.format(program=bus) for name, text in _BUS.items()}, **units}
        units["service.d/trial.conf"] = _LAID_OVER
        for part, files in (("etc", etc), ("units", units)):
            (given / part).mkdir(parents=True)
            for name, content in files.items():
                file = given / part / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content)
                file.chmod(0o600 if "credentials" in name else 0o644)
        for target in _TARGETS:
            (given / "units" / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
        program = given / "opt" / "voucherd" / "bin"
        program.mkdir(parents=True)
        program.parent.joinpath("pyvenv.cfg").write_text("home = /opt/python/bin\n")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        (program / "python").symlink_to(f"/opt/python/bin/{version}")
        script = program / "voucherd"
        script.write_text(
            "#!/opt/voucherd/bin/python\nimport sys\nsys.path.insert(0, '/opt/code/daemon')\n"
            "from voucherd.cli.main import main\nmain()\n"
        )
        script.chmod(0o755)

    def _start(self) -> None:
        root = Path(__file__).resolve().parents[2]
        stage = self._folder / "stage"
        stage.mkdir()
        import click

        words = _SET_UP.format(
            stage=stage,
            given=self._folder / "given",
            base=Path(sys.base_prefix).resolve(),
            packages=Path(click.__file__).resolve().parents[1],
            code=root,
            python=f"python{sys.version_info.major}.{sys.version_info.minor}",
            unit_path=_UNIT_PATH,
            systemd=self._systemd,
        )
        spaces = ["--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--mount-proc", "--kill-child"]
        with (self._folder / "log").open("wb") as log:
            self._boot = subprocess.Popen(
                ["unshare", *spaces, "bash", "-c", words], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._init = self._child()
        deadline = time.monotonic() + _PATIENCE
        while self.inside("systemctl", "is-system-running").stdout.strip() not in ("running", "degraded"):
            if self._boot.poll() is not None or time.monotonic() > deadline:
                raise ServerFailedError(f"systemd did not boot:\n{self.log}")
            time.sleep(0.1)

    def _child(self) -> int:
        """The init of the new namespaces, as this one counts."""
        assert self._boot is not None
        children = Path(f"/proc/{self._boot.pid}/task/{self._boot.pid}/children")
        deadline = time.monotonic() + _PATIENCE
        while not (found := children.read_text().split()):
            if self._boot.poll() is not None or time.monotonic() > deadline:
                raise ServerFailedError(f"no namespaces:\n{self.log}")
            time.sleep(0.02)
        return int(found[0])


def cannot_boot() -> str:
    """Why this machine lets nobody boot a systemd; empty where it does. ServerMissingError where a program is missing:
    that is mended by installing it."""
    find_program("systemd", "systemd", "/usr/lib/systemd", "/lib/systemd")
    find_program("dbus-daemon", "dbus")
    find_program("unshare", "util-linux")
    find_program("nsenter", "util-linux")
    if os.geteuid() != 0:
        return "only root may boot a systemd in namespaces"
    probe = "mount --make-rprivate / && umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup"
    spaces = ["--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--mount-proc"]
    tried = subprocess.run(
        ["unshare", *spaces, "bash", "-c", probe], capture_output=True, text=True, timeout=30
    )
    return "" if tried.returncode == 0 else f"no namespaces with cgroups here: {tried.stderr.strip()}"
