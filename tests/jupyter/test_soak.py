"""A kernel under a person's worst afternoon: cells, interrupts, kills, restarts.

HOLT_SOAK is how many seconds it lasts, 20 unless told otherwise; HOLT_SEED repeats a run.
"""

import os
import random
import signal
import time

import pytest

import holt

SECONDS = float(os.environ.get("HOLT_SOAK", 20))


def loses_nothing(kernel, msg_ids, timeout=60):
    """Waits until each of the cells has one reply and one idle."""
    replies, idle = {}, set()
    end = time.monotonic() + timeout
    while set(replies) < set(msg_ids) or idle < set(msg_ids):
        assert time.monotonic() < end, (
            f"{len(msg_ids)} cells, {len(replies)} replies, {len(idle & set(msg_ids))} idle within {timeout} s"
        )
        if kernel.client.iopub_channel.msg_ready():
            m = kernel.client.get_iopub_msg(timeout=1)
            if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
                idle.add(m["parent_header"].get("msg_id"))
        elif kernel.client.shell_channel.msg_ready():
            m = kernel.client.get_shell_msg(timeout=1)
            if m["msg_type"] == "execute_reply":
                parent = m["parent_header"]["msg_id"]
                assert parent not in replies, f"two replies: {replies[parent]} and {m['content']}"
                replies[parent] = m["content"]
        else:
            time.sleep(0.01)
    return [replies[i]["status"] for i in msg_ids]


def test_soak(fresh):
    seed = int(os.environ.get("HOLT_SEED", random.randrange(1 << 30)))
    print("HOLT_SEED =", seed)
    rng = random.Random(seed)
    pid = fresh.host()
    end = time.monotonic() + SECONDS
    rounds, statuses = 0, {}
    while time.monotonic() < end:
        rounds += 1
        match rng.choice(["cells", "cells", "interrupt", "interrupt", "fail", "kill", "flood", "restart"]):
            case "cells":
                ids = [fresh.start(f"n{rounds % 7} := {i}\nfmt.Println(n{rounds % 7})") for i in range(rng.randrange(1, 4))]
            case "fail":
                ids = [fresh.start(c) for c in ('panic("as told")', 'fmt.Println("never")')]
            case "flood":
                ids = [fresh.start('for i := 0; i < 200_000; i++ { fmt.Println("flood") }')]
            case "interrupt":
                ids = [fresh.start("for {\n}"), fresh.start("2")]
                time.sleep(rng.random())
                fresh.manager.interrupt_kernel()
                # An interrupt that came before the cell began interrupts nothing.
                time.sleep(1)
                fresh.manager.interrupt_kernel()
            case "kill":
                ids = [fresh.start("for {\n}")]
                time.sleep(rng.random())
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                time.sleep(1)
                fresh.manager.interrupt_kernel()
            case "restart":
                fresh.manager.restart_kernel(now=False)
                fresh.client.wait_for_ready(timeout=30)
                ids = [fresh.start("1")]
        for status in loses_nothing(fresh, ids):
            statuses[status] = statuses.get(status, 0) + 1
        # Whatever happened, the next cell runs.
        ran = fresh.run("os.Getpid()" if rounds % 2 else 'import "os"\nos.Getpid()')
        if not ran.ok:  # the first cell after a death may be the one that says so
            ran = fresh.run('import "os"\nos.Getpid()')
        assert ran.ok, ran.trace
        pid = int(ran.result)
    print(rounds, "rounds:", statuses)
    assert rounds > 1


@pytest.mark.skipif("HOLT_SOAK" not in os.environ, reason="takes minutes: set HOLT_SOAK to the seconds it may take")
def test_many_kernels(installed, tmp_path):
    kernels = [holt.Kernel(cwd=tmp_path) for _ in range(4)]
    try:
        for i, k in enumerate(kernels):
            assert k.do(f"{i} + 1").result == str(i + 1)
    finally:
        for k in kernels:
            k.close()
