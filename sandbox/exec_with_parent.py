"""Become another program that dies with its parent. A script of its own: it runs between fork and exec.

`python -I -S exec_with_parent.py PARENT_PID SIGNAL UID GID COMMAND…`; UID and GID `-` keep the present ones.

On Linux the kernel sends SIGNAL when the parent ends, however it ends (PR_SET_PDEATHSIG, man 2 prctl). The mark is lost
when the user changes, so the user changes first; a `preexec_fn` would do the same but is unsafe where threads run.
Elsewhere the program simply runs, and only an orderly end of the parent stops it.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parent, death_signal, uid, gid, *command = arguments
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit(1)  # the parent ended before the mark was set
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
