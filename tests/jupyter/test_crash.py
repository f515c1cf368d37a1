"""Interrupts and dead hosts: the kernel and, where it can be, the values survive."""

import os
import signal
import time

import pytest


def interrupted(kernel, code, timeout=60):
    """Runs a cell, interrupts it once it prints "going", and returns it."""
    msg_id = kernel.start(code)
    kernel.wait_output("going", timeout=60)
    kernel.manager.interrupt_kernel()
    return kernel.finish(msg_id, timeout)


@pytest.mark.parametrize(
    "name, code",
    [
        ("loop", 'fmt.Println("going")\nfor {\n}'),
        ("loop that counts", 'fmt.Println("going")\nfor i := 0; ; i++ { held = i }'),
        ("function", 'func forever() { for { held++ } }\nfmt.Println("going")\nforever()'),
        ("recursion", 'var deep func(int) int\ndeep = func(n int) int { if n == 0 { return 0 }; return deep(n-1) + deep(n-1) }\nfmt.Println("going")\ndeep(60)'),
        ("closure", 'fmt.Println("going")\nfunc() { for { held++ } }()'),
        ("range over channel", 'fmt.Println("going")\nfor range make(chan int) {\n}'),
        ("sleep", 'import "time"\nfmt.Println("going")\ntime.Sleep(time.Hour)'),
        ("select", 'fmt.Println("going")\nselect {}'),
    ],
)
def test_interrupt(kernel, name, code):
    kernel.do("var held int\nheldBefore := 42")
    ran = interrupted(kernel, code)
    assert ran.ename == "Interrupted", ran.trace
    assert kernel.do("heldBefore").result == "42"


def test_interrupt_keeps_what_was_set(kernel):
    kernel.do("var steps int")
    interrupted(kernel, 'steps = 7\nfmt.Println("going")\nfor { steps++ }')
    assert int(kernel.do("steps").result) > 7


def test_interrupt_aborts_the_queue(kernel):
    first = kernel.start('fmt.Println("going")\nfor {\n}')
    behind = kernel.start('fmt.Println("never")')
    kernel.wait_output("going")
    kernel.manager.interrupt_kernel()
    reply = kernel.client.get_shell_msg(timeout=10)
    assert reply["parent_header"]["msg_id"] == first and reply["content"]["ename"] == "Interrupted"
    reply = kernel.client.get_shell_msg(timeout=10)
    assert reply["parent_header"]["msg_id"] == behind and reply["content"]["status"] == "aborted"


def test_exit(fresh):
    fresh.do("before := 1\nfunc f() int { return 5 }")
    ran = fresh.fail('import "os"\nfmt.Println("last words")\nos.Exit(3)')
    assert ran.ename == "Exit" and "exit status 3" in ran.evalue
    assert "last words" in ran.stdout
    assert fresh.do("before").result == "1"
    assert fresh.do("os.Exit(0)\nbefore").result is None
    ran = fresh.fail('import "flag"\nflag.NewFlagSet("x", flag.ExitOnError).Parse([]string{"-none"})')
    assert ran.ename == "HostDied" and "exit status 2" in ran.evalue
    assert fresh.do("f()").result == "5"  # declarations are there


def test_host_killed(fresh):
    fresh.do("lost := 5\ntype T struct{ A int }")
    pid = fresh.host()
    msg_id = fresh.start('fmt.Println("going")\nfor {\n}')
    fresh.wait_output("going")
    os.kill(pid, signal.SIGKILL)
    ran = fresh.finish(msg_id, 30)
    assert ran.reply["status"] == "error"
    assert fresh.do("T{A: 3}.A").result == "3"
    assert fresh.host() != pid


def test_host_killed_between_cells(fresh):
    fresh.do("x := 1")
    os.kill(fresh.host(), signal.SIGKILL)
    time.sleep(0.5)
    ran = fresh.run("y := 2\ny")
    if not ran.ok:  # the first cell after it may be the one that says so
        ran = fresh.do("y := 2\ny")
    assert ran.result == "2"


def test_panic_in_a_goroutine(fresh):
    fresh.do('func ok() string { return "ok" }')
    ran = fresh.fail('import "time"\ngo func() { panic("in the background") }()\ntime.Sleep(5 * time.Second)')
    assert "in the background" in ran.evalue + ran.trace + ran.stderr
    assert "ok" in fresh.do("ok()").result


def test_nil_dereference_keeps_the_host(kernel):
    kernel.do("var np *struct{ A int }")
    pid = kernel.host()
    ran = kernel.fail("np.A = 1")
    assert "nil pointer dereference" in ran.evalue
    assert kernel.host() == pid


def test_second_interrupt_ends_the_host(fresh):
    # A system call that Go cannot break off.
    code = (
        'import "syscall"\nfmt.Println("going")\n'
        "var p [2]int\nsyscall.Pipe(p[:])\nvar buf [1]byte\nsyscall.Read(p[0], buf[:])"
    )
    fresh.do('func here() string { return "here" }')
    before = fresh.host()
    msg_id = fresh.start(code)
    fresh.wait_output("going")
    fresh.manager.interrupt_kernel()
    ran = fresh.finish(msg_id, 20)
    assert ran.reply["status"] == "error" and "interrupt again" in ran.evalue
    time.sleep(1)  # two at once count as one
    fresh.manager.interrupt_kernel()
    time.sleep(2)  # nobody answers an interrupt that finds no cell
    assert fresh.host() != before
    assert "here" in fresh.do("here()").result


def test_restart(fresh):
    fresh.do("x := 1")
    fresh.manager.restart_kernel(now=False)
    fresh.client.wait_for_ready(timeout=30)
    assert fresh.fail("x", timeout=60).ename == "CompileError"
    assert fresh.do("y := 1\ny").result == "1"


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("how", ["shutdown", "sigterm"])
def test_nothing_is_left_behind(fresh, how):
    host = fresh.host()
    process = fresh.manager.provisioner.process
    if how == "shutdown":
        fresh.client.shutdown()
    else:
        process.send_signal(signal.SIGTERM)
    process.wait(timeout=10)
    for _ in range(50):
        if not alive(host):
            break
        time.sleep(0.1)
    assert not alive(host), "the host outlives its kernel"


PROGRAM = """import "os/exec"
cmd := exec.Command("sleep", "1000")
cmd.Start()
cmd.Process.Pid"""


def test_programs_end_with_an_interrupt(kernel):
    earlier = int(kernel.do(PROGRAM).result)
    time.sleep(0.1)
    msg_id = kernel.start('fmt.Println("going")\ncmd2 := exec.Command("sleep", "1000")\ncmd2.Start()\nfmt.Println(cmd2.Process.Pid)\ncmd2.Wait()')
    kernel.wait_output("going")
    time.sleep(0.5)
    kernel.manager.interrupt_kernel()
    ran = kernel.finish(msg_id, 10)
    assert ran.ename == "Interrupted" and ran.evalue == "the cell was interrupted; its values are kept"
    assert kernel.do("time.Sleep(100 * time.Millisecond)\ncmd2.Process.Signal(syscall.Signal(0)) != nil").result == "true"
    assert alive(earlier)
    os.kill(earlier, signal.SIGKILL)


def test_killed_kernel_takes_the_host_along(fresh):
    programs = [int(fresh.do(PROGRAM).result), int(fresh.do("!sleep 1000 >&- 2>&- & echo $!").stdout)]
    host = fresh.host()
    process = fresh.manager.provisioner.process
    process.kill()
    process.wait(timeout=10)
    for _ in range(50):
        if not alive(host):
            break
        time.sleep(0.1)
    assert not alive(host), "the host outlives its killed kernel"
    time.sleep(0.5)
    assert not alive(programs[0]), "a program that a cell started outlives the killed kernel"
    os.kill(programs[1], signal.SIGKILL)  # what a shell command leaves behind was meant to stay
