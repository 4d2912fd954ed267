"""A real SLURM of one node on loopback, in a folder of its own, without systemd or accounting."""

import getpass
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

# More than the machine has, for jobs that do nothing but wait.
CPUS = 6
MEMORY_MB = 16_000
# Character devices stand in for two GPUs: SLURM hands out their names and nothing opens them.
GPUS = ("/dev/zero", "/dev/full")
SECONDS_TO_START = 30

# A process group is what is killed: by `linuxproc`, what a killed shell had started would escape.
# OverMemoryKill polls every two seconds and really kills; MinJobAge keeps every finished job in the
# controller's memory, which is where squeue and scontrol read; the scheduler starts jobs at once.
CONFIGURATION = """\
ClusterName=lab
SlurmctldHost=localhost(127.0.0.1)
SlurmUser={user}
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthInfo=socket={folder}/munge.socket
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobcomp.log
MinJobAge=86400
KillWait=5
ReturnToService=2
EnforcePartLimits=ALL
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
GresTypes=gpu
SlurmdParameters=config_overrides
DefMemPerCPU=500
NodeName=localhost NodeAddr=127.0.0.1 NodeHostname={host} Port={node_port} CPUs={cpus} Sockets=1 \
CoresPerSocket={cpus} ThreadsPerCore=1 RealMemory={memory} Gres=gpu:h200:{gpus}
PartitionName=cpu Nodes=localhost Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=localhost MaxTime=INFINITE State=UP
"""


class Cluster:
    """The daemons, started; its folder holds their files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)  # munge refuses a socket that others could not reach
        for name in ("state", "spool", "bin"):
            (folder / name).mkdir()
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin",
        }
        self._configure()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _configure(self) -> None:
        ports = _free_ports(2)
        fields = {
            **{"folder": self.folder, "user": getpass.getuser(), "host": socket.gethostname()},
            **{"controller_port": ports[0], "node_port": ports[1]},
            **{"cpus": CPUS, "memory": MEMORY_MB, "gpus": len(GPUS)},
        }
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(**fields))
        lines = [f"NodeName=localhost Name=gpu Type=h200 File={device}" for device in GPUS]
        (self.folder / "gres.conf").write_text("\n".join(["AutoDetect=off", *lines]) + "\n")
        # The job step's Snakemake drops every SLURM_ variable, this cluster's whereabouts among them.
        srun = shutil.which("srun", path=self.environment["PATH"])
        wrapper = self.folder / "bin" / "srun"
        wrapper.write_text(f'#!/bin/sh\nexport SLURM_CONF={self.folder}/slurm.conf\nexec {srun} "$@"\n')
        wrapper.chmod(0o755)
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)

    def _start(self) -> None:
        places = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        self._call("munged", *(f"--{option}={self.folder}/munge.{suffix}" for option, suffix in places.items()))
        self._call("slurmctld", "-f", f"{self.folder}/slurm.conf")
        self._call("slurmd", "-N", "localhost", "-f", f"{self.folder}/slurm.conf")
        wait_for(lambda: self.ask("sinfo", "-h", "-o", "%T", "-p", "cpu").strip() == "idle", SECONDS_TO_START)

    def _call(self, *command: str) -> None:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"

    def ask(self, *command: str) -> str:
        """What one of SLURM's commands prints; nothing while the controller does not answer."""
        try:
            done = subprocess.run(
                command, env=self.environment, capture_output=True, text=True, check=False, timeout=10
            )
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout

    def jobs(self) -> list[dict[str, str]]:
        """Every job that the controller has known, as `scontrol` describes it."""
        blocks = self.ask("scontrol", "-d", "-o", "show", "job").splitlines()
        return [dict(re.findall(r"(\S+?)=(\S*)", block)) for block in blocks if block.startswith("JobId=")]

    def completed(self) -> dict[str, dict[str, str]]:
        """Every job that has ended, by its number, as SLURM's own record of completions tells."""
        lines = (self.folder / "jobcomp.log").read_text().splitlines()
        return {fields["JobId"]: fields for line in lines if (fields := dict(re.findall(r"(\S+?)=(\S*)", line)))}

    def stop(self) -> None:
        """End jobs and daemons."""
        self.ask("scancel", "--user", getpass.getuser())
        for name in ("slurmd", "slurmctld", "munge"):
            record = self.folder / f"{name}.pid"
            pid = int(record.read_text()) if record.exists() else None
            if pid and Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGTERM)
                wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists(), SECONDS_TO_START)


def wait_for(condition, seconds: float) -> None:
    """Wait until something is so, and fail loudly if that takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not so after {seconds} s: {condition}"
        time.sleep(0.2)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
