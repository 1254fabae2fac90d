"""tools/packages installs test servers and starts none: a real package, in a copy of this system that is thrown away."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: A package of the name of one whose unit is masked, with a service that its installation starts, as Debian's do.
CONTROL = "Package: orthanc\nVersion: 99\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: a test server\n"
INIT = """#!/bin/sh
### BEGIN INIT INFO
# Provides: orthanc
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop:
### END INIT INFO
[ "$1" != start ] || touch /started
"""
POSTINST = "#!/bin/sh\nset -e\nupdate-rc.d orthanc defaults\ninvoke-rc.d orthanc start\n"
#: Mount a copy of this system whose changes stay in memory. It runs, at runlevel 2, and apt can find this package alone.
COPY = r"""
set -e
mount -t tmpfs tmpfs {memory}
cd {memory}
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
mount --rbind /dev root/dev
rm -rf root/usr/sbin/policy-rc.d root/etc/apt/sources.list root/etc/apt/sources.list.d root/etc/systemd/system/orthanc.service
chroot root dpkg --purge --force-all orthanc >/dev/null 2>&1 || true
rm -f root/started root/sbin/runlevel
printf '#!/bin/sh\necho N 2\n' > root/sbin/runlevel
chmod 755 root/sbin/runlevel
mkdir -p root/packages
cp {packages}/* {tool} root/packages/
echo 'deb [trusted=yes] file:/packages ./' > root/etc/apt/sources.list
chroot root {command}
cd root
for left in started usr/sbin/policy-rc.d; do [ ! -e $left ] || echo $left; done
readlink etc/systemd/system/orthanc.service || true
"""
APT = "sh -c 'apt-get update -qq && apt-get install -y -qq orthanc >/dev/null'"
TOOL = "/packages/packages orthanc"

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or "4294967295" not in Path("/proc/self/uid_map").read_text(),
    reason="only root, and not that of a user namespace, can install packages",
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package and its index, as apt reads them."""
    folder = tmp_path_factory.mktemp("packages")
    tree = tmp_path_factory.mktemp("orthanc")
    for name, text in (("DEBIAN/control", CONTROL), ("DEBIAN/postinst", POSTINST), ("etc/init.d/orthanc", INIT)):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
        (tree / name).chmod(0o644 if name.endswith("control") else 0o755)
    tree.chmod(0o755)
    package = folder / "orthanc.deb"
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", str(tree), str(package)], check=True, capture_output=True
    )
    digest = subprocess.run(["sha256sum", str(package)], check=True, capture_output=True, text=True).stdout.split()[0]
    index = f"{CONTROL}Filename: ./orthanc.deb\nSize: {package.stat().st_size}\nSHA256: {digest}\n"
    (folder / "Packages").write_text(index)
    return folder


def installed(packages: Path, memory: Path, command: str) -> list[str]:
    """Install the package by a command in a copy of this system; return what is there afterwards."""
    script = COPY.format(memory=memory, packages=packages, tool=ROOT / "tools" / "packages", command=command)
    ended = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def test_apt_alone_starts_the_server(packages: Path, tmp_path: Path) -> None:
    """Without the tool, the installation starts the server: the package is like Debian's."""
    assert installed(packages, tmp_path, APT) == ["started"]


def test_no_server_is_started(packages: Path, tmp_path: Path) -> None:
    """With the tool no server starts, its unit is masked, and the policy that forbade starts is gone afterwards."""
    assert installed(packages, tmp_path, TOOL) == ["/dev/null"]
