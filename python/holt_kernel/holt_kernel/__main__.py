"""python -m holt_kernel is holt. The kernelspec names it so, since Jupyter puts the path of its own Python there."""

import os
import subprocess
import sys

from holt_kernel import find_holt

if __name__ == "__main__":
    holt = find_holt()
    if os.name == "nt":  # where exec ends the process that Jupyter waits for
        sys.exit(subprocess.call([holt, *sys.argv[1:]], close_fds=False))
    os.execv(holt, [holt, *sys.argv[1:]])
