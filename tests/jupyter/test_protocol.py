"""The messages themselves, as clients other than notebooks see them."""

import json
import os
import signal
import socket
import subprocess
import time
import uuid
from queue import Empty

import pytest
import zmq
from jupyter_client import BlockingKernelClient
from jupyter_client.session import Session
from zmq.utils.monitor import recv_monitor_message

import holt


def answer(kernel, msg_id, channel="shell", timeout=60):
    get = getattr(kernel.client, f"get_{channel}_msg")
    while True:
        m = get(timeout=timeout)
        if m["parent_header"].get("msg_id") == msg_id:
            return m


def ask(kernel, msg_type, content=None, channel="shell"):
    """Sends a request on a channel and returns its reply from that channel."""
    msg = kernel.client.session.msg(msg_type, content or {})
    getattr(kernel.client, f"{channel}_channel").send(msg)
    return answer(kernel, msg["header"]["msg_id"], channel)


def test_kernel_info(kernel):
    reply = ask(kernel, "kernel_info_request")
    c = reply["content"]
    assert c["protocol_version"] == "5.4"
    assert c["implementation"] == "holt"
    lang = c["language_info"]
    assert lang["name"] == "go" and lang["mimetype"] == "text/x-go" and lang["file_extension"] == ".go"
    assert lang["pygments_lexer"] == "go" and lang["codemirror_mode"] == "go"


@pytest.mark.parametrize("channel", ["shell", "control"])
@pytest.mark.parametrize("typ", ["kernel_info", "comm_info"])
def test_answers_come_by_the_same_socket(kernel, typ, channel):
    assert ask(kernel, f"{typ}_request", channel=channel)["msg_type"] == f"{typ}_reply"


def test_answers_while_a_cell_runs(kernel):
    msg_id = kernel.start('fmt.Println("going")\nfor {\n}')
    kernel.wait_output("going")
    try:
        for typ, content in [
            ("kernel_info", {}),
            ("comm_info", {}),
            ("complete", {"code": "fm", "cursor_pos": 2}),
            ("inspect", {"code": "fmt", "cursor_pos": 3, "detail_level": 0}),
            ("is_complete", {"code": "x"}),
            ("history", {"hist_access_type": "tail", "n": 1, "output": False, "raw": True}),
        ]:
            assert ask(kernel, f"{typ}_request", content)["content"]["status"] != "error", typ
        assert kernel.client.is_alive()
    finally:
        kernel.manager.interrupt_kernel()
    kernel.finish(msg_id)


def test_heartbeat_under_full_load(kernel):
    """All processors compute, and the notebook is flooded with output."""
    hb = zmq.Context.instance().socket(zmq.REQ)
    hb.linger = 0
    hb.connect(f"tcp://127.0.0.1:{kernel.client.hb_port}")
    msg_id = kernel.start(
        'fmt.Println("going")\nline := strings.Repeat("x", 99)\n'
        "for range runtime.NumCPU() { go func() { for {\n} }() }\nfor { fmt.Println(line) }"
    )
    kernel.wait_output("going")
    try:
        for _ in range(20):
            hb.send(b"ping")
            assert hb.poll(30_000), "no heartbeat within 30 seconds"
            assert hb.recv() == b"ping"
    finally:
        hb.close()
        kernel.manager.interrupt_kernel()
    assert kernel.finish(msg_id).ename == "Interrupted"


def test_pings(kernel):
    """ZMTP's own heartbeat, which libzmq sends as PING, keeps a connection; so it is answered."""
    sub = zmq.Context.instance().socket(zmq.SUB)
    sub.linger, sub.heartbeat_ivl, sub.heartbeat_timeout = 0, 50, 2000
    events = sub.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED)
    sub.connect(f"tcp://127.0.0.1:{kernel.client.iopub_port}")
    sub.subscribe(b"")
    try:
        assert sub.poll(10_000), "no iopub_welcome"
        time.sleep(5)
        assert events.poll(0) and recv_monitor_message(events)["event"] == zmq.EVENT_HANDSHAKE_SUCCEEDED
        assert not events.poll(0), "the connection was cut"
        while sub.poll(0):
            sub.recv_multipart()
        kernel.do("1")
        assert sub.poll(10_000), "nothing came after the pings"
    finally:
        sub.disable_monitor()
        sub.close()


def test_interrupt_as_a_message(kernel):
    msg_id = kernel.start('fmt.Println("going")\nfor {\n}')
    kernel.wait_output("going")
    assert ask(kernel, "interrupt_request", channel="control")["content"]["status"] == "ok"
    assert kernel.finish(msg_id).ename == "Interrupted"


def test_interrupt_as_a_signal(kernel):
    msg_id = kernel.start('fmt.Println("going")\nfor {\n}')
    kernel.wait_output("going")
    kernel.manager.provisioner.process.send_signal(signal.SIGINT)
    assert kernel.finish(msg_id).ename == "Interrupted"
    assert kernel.do("1").result == "1"


def test_stop_on_error(kernel):
    first = kernel.start("time.Sleep(300 * time.Millisecond)\npanic(1)")
    second = kernel.start('fmt.Println("never")')
    assert kernel.finish(first).reply["status"] == "error"
    ran = kernel.finish(second)
    assert ran.reply["status"] == "aborted" and ran.stdout == ""
    first = kernel.start("time.Sleep(300 * time.Millisecond)\npanic(1)", stop_on_error=False)
    second = kernel.start('fmt.Println("goes on")')
    kernel.finish(first)
    assert kernel.finish(second).stdout == "goes on\n"


def test_silent(kernel):
    count = kernel.do("1").reply["execution_count"]
    ran = kernel.do('quiet := 1\nfmt.Println("x")\nquiet', silent=True)
    assert [m["msg_type"] for m in ran.messages] == ["status", "status"]
    assert kernel.do("quiet").reply["execution_count"] == count + 1


def test_store_history(kernel):
    count = kernel.do("1").reply["execution_count"]
    assert kernel.do("2", store_history=False).result == "2"
    assert kernel.do("3").reply["execution_count"] == count + 1


def test_user_expressions(kernel):
    ran = kernel.do(
        "counted := 4",
        user_expressions={"a": "counted * 2", "b": "missing", "c": "counted := 5", "d": 'strings.Repeat("x", 3)', "e": "[]int{1}[counted]"},
    )
    values = ran.reply["user_expressions"]
    assert values["a"] == {"status": "ok", "data": {"text/plain": "8"}, "metadata": {}}
    assert values["b"]["status"] == "error" and values["b"]["ename"] == "CompileError"
    assert values["b"]["evalue"] == "1:1: undefined: missing" and values["b"]["traceback"]
    assert "is no Go expression" in values["c"]["evalue"]
    assert values["d"]["data"]["text/plain"] == "xxx"
    assert values["e"]["evalue"] == "index out of range [4] with length 1"
    assert len(ran.messages) == 3  # busy, the input, idle: values are in the reply alone
    # as front ends look at the kernel's state, without a cell
    ran = kernel.do("", silent=True, store_history=False, user_expressions={"n": "counted"})
    assert ran.reply["user_expressions"]["n"]["data"] == {"text/plain": "4"}
    assert [m["msg_type"] for m in ran.messages] == ["status", "status"]


ASK = """import "github.com/janpfeifer/gonb/gonbui"
fmt.Println("above")
gonbui.RequestInput("name: ", false)
var name string
fmt.Scanln(&name)
fmt.Println("got", name)"""


def test_input(kernel):
    msg_id = kernel.start(ASK, allow_stdin=True)
    question = kernel.client.get_stdin_msg(timeout=60)
    assert question["msg_type"] == "input_request"
    assert question["content"] == {"prompt": "name: ", "password": False}
    assert question["parent_header"]["msg_id"] == msg_id
    kernel.client.input("otter")
    assert kernel.finish(msg_id).stdout == "above\ngot otter\n"


def test_input_without_a_person(kernel):
    msg_id = kernel.start(ASK, allow_stdin=False)
    ran = kernel.finish(msg_id, 30)  # and no hang
    assert "otter" not in ran.stdout
    assert "input" in ran.stderr + ran.evalue
    assert not kernel.client.stdin_channel.msg_ready()


def test_unknown_request(kernel):
    assert ask(kernel, "debug_request", channel="control")["content"]["status"] == "error"


def test_usage(kernel):
    ask(kernel, "usage_request", channel="control")
    c = ask(kernel, "usage_request", channel="control")["content"]
    assert c["pid"] == kernel.manager.provisioner.process.pid
    assert c["kernel_memory"] > 1e6 and c["cpu_count"] >= 1 and c["hostname"]
    assert c["host_virtual_memory"]["total"] > c["kernel_memory"]


def test_history_over_kernels(kernel, installed, tmp_path):
    mark = f"// {uuid.uuid4()}"
    kernel.do(mark)
    other = holt.Kernel(cwd=tmp_path)
    try:
        c = ask(other, "history_request", {"hist_access_type": "search", "pattern": mark + "*", "output": False, "raw": True})
        assert [h[2] for h in c["content"]["history"]] == [mark]
    finally:
        other.close()


def test_forged_and_replayed_messages(kernel):
    client = kernel.client
    shell = zmq.Context.instance().socket(zmq.DEALER)
    shell.linger = 0
    shell.connect(f"tcp://127.0.0.1:{client.shell_port}")
    try:
        forger = Session(key=b"guess")
        forger.send(shell, "shutdown_request", {"restart": False})
        good = Session(key=client.session.key)
        frames = good.serialize(good.msg("kernel_info_request"))
        for _ in range(3):
            shell.send_multipart(frames)
        shell.send_multipart([b"<IDS|MSG>"])
        shell.send_multipart([b"", b"<IDS|MSG>", b"x", b"{", b"{", b"{", b"{"])
        assert shell.poll(5000)
        shell.recv_multipart()
        assert not shell.poll(500), "a replayed or malformed message was answered"
        assert kernel.do("1").result == "1"
    finally:
        shell.close()


def test_two_clients(kernel):
    other = BlockingKernelClient()
    other.load_connection_info(kernel.manager.get_connection_info())
    other.start_channels()
    try:
        other.wait_for_ready(timeout=10)
        kernel.do("both := 1")
        reply = other.execute_interactive("both + 1", timeout=10, output_hook=lambda m: None)
        assert reply["content"]["status"] == "ok"
    finally:
        other.stop_channels()


def test_stalled_subscriber(kernel):
    """A client that subscribes and never reads costs the others nothing."""
    port = kernel.client.iopub_port
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"\xff" + b"\0" * 8 + b"\x7f\x03\x00NULL" + b"\0" * 48)
    s.sendall(b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB")
    s.sendall(b"\x00\x01\x01")
    try:
        for i in range(10):
            ran = kernel.do('for i := 0; i < 20_000; i++ { fmt.Println(strings.Repeat("y", 99)) }\nfmt.Println("end")')
            assert ran.stdout.endswith("end\n")
    finally:
        s.close()


def test_vanished_subscriber(kernel):
    """A client that goes in the middle of a flood costs the others nothing."""
    msg_id = kernel.start('for i := 0; i < 300_000; i++ { fmt.Println(strings.Repeat("y", 99)) }\nfmt.Println("end")')
    for _ in range(5):
        sub = zmq.Context.instance().socket(zmq.SUB)
        sub.linger = 0
        sub.subscribe(b"")
        sub.connect(f"tcp://127.0.0.1:{kernel.client.iopub_port}")
        assert sub.poll(60_000)
        sub.close()
    assert kernel.finish(msg_id).stdout.endswith("end\n")
    assert kernel.do("1").result == "1"


def test_is_complete_indents(kernel):
    for code, indent in [("func f() {", "\t"), ("func f() {\n\tif true {", "\t\t"), ('fmt.Println("{",', "\t"), ("x := `{", "")]:
        c = ask(kernel, "is_complete_request", {"code": code})["content"]
        assert (c["status"], c["indent"]) == ("incomplete", indent), code


def test_errors_are_short_and_coloured(kernel):
    kernel.do('func inner(s []int) int { return s[3] }\nfunc outer() int { return inner(nil) }')
    ran = kernel.fail("x := 1\nx += outer()")
    assert ran.evalue == "index out of range [3] with length 0"
    trace = ran.reply["traceback"]
    assert "\x1b[" in trace[0] and holt.plain(trace[0]) == f"panic: {ran.evalue}"
    frames = [holt.plain(line) for line in trace[1:]]
    assert [f.split(" in ")[1].split()[0] for f in frames[:2]] == ["inner", "outer"], frames
    assert len(frames) == 3 and all(f.lstrip().startswith("cell[") for f in frames), frames
    published = ran.of("error")
    assert len(published) == 1 and published[0]["traceback"] == trace


def start_by_hand(installed, connection, path):
    path.write_text(json.dumps(connection))
    binary = installed / "share" / "holt" / "bin" / "holt"
    return subprocess.Popen([binary, "kernel", "-f", str(path)], stderr=subprocess.PIPE, text=True)


def ports(n):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    found = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return found


def connection(**changes):
    shell, control, stdin, iopub, hb = ports(5)
    c = {
        "transport": "tcp", "ip": "127.0.0.1", "shell_port": shell, "control_port": control, "stdin_port": stdin,
        "iopub_port": iopub, "hb_port": hb, "signature_scheme": "hmac-sha256", "key": "a-secret-key", "kernel_name": "holt",
    }
    return {**c, **changes}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"key": ""}, "key is empty, want a secret on tcp"),
        ({"curve_secretkey": "x" * 40, "curve_publickey": "y" * 40}, "asks for CurveZMQ encryption, which holt does not speak"),
        ({"signature_scheme": "hmac-md5"}, 'signature_scheme is "hmac-md5", want hmac-sha256'),
        ({"transport": "udp"}, 'transport is "udp", want tcp or ipc'),
    ],
)
def test_connection_files_that_are_refused(installed, tmp_path, changes, message):
    p = start_by_hand(installed, connection(**changes), tmp_path / "c.json")
    _, err = p.communicate(timeout=60)
    assert p.returncode == 1
    assert message in err
    assert "a-secret-key" not in err and "x" * 40 not in err


def client_of(conn):
    c = BlockingKernelClient()
    c.load_connection_info(conn)
    c.start_channels()
    c.wait_for_ready(timeout=60)
    return c


def test_ipc(installed, tmp_path):
    conn = connection(transport="ipc", ip=str(tmp_path / "k"), shell_port=1, control_port=2, stdin_port=3, iopub_port=4, hb_port=5)
    if len(conn["ip"]) > 100:
        pytest.skip("the temporary folder's name is too long for a socket")
    p = start_by_hand(installed, conn, tmp_path / "c.json")
    try:
        for _ in range(1000):
            if (tmp_path / "k-1").exists():
                break
            time.sleep(0.05)
        c = client_of(conn)
        c.shutdown()
        assert p.wait(timeout=10) == 0
        c.stop_channels()
    finally:
        p.kill()
        p.stderr.close()


def test_the_key_is_not_logged(installed, tmp_path):
    conn = connection()
    env = {**os.environ, "HOLT_LOG": "debug"}
    with open(tmp_path / "log", "w+") as log:
        path = tmp_path / "c.json"
        path.write_text(json.dumps(conn))
        binary = installed / "share" / "holt" / "bin" / "holt"
        p = subprocess.Popen([binary, "kernel", "-f", str(path)], env=env, stderr=log)
        try:
            c = client_of(conn)
            forger = Session(key=b"guess")
            forger.send(c.shell_channel.socket, "shutdown_request", {"restart": False})
            c.kernel_info(reply=True, timeout=60)
            c.shutdown()
            assert p.wait(timeout=60) == 0
            c.stop_channels()
        finally:
            p.kill()
        log.seek(0)
        said = log.read()
    assert "the signature does not match" in said
    assert conn["key"] not in said


def test_shutdown_on_shell(installed, tmp_path):
    conn = connection()
    p = start_by_hand(installed, conn, tmp_path / "c.json")
    try:
        time.sleep(0.5)
        c = client_of(conn)
        msg = c.session.msg("shutdown_request", {"restart": False})
        c.shell_channel.send(msg)
        while True:
            m = c.get_shell_msg(timeout=10)
            if m["msg_type"] == "shutdown_reply":
                break
        assert m["content"]["restart"] is False
        assert p.wait(timeout=10) == 0
        c.stop_channels()
    finally:
        p.kill()
        p.stderr.close()


def test_kernel_ends_with_its_parent(installed, tmp_path):
    conn = connection()
    path = tmp_path / "c.json"
    path.write_text(json.dumps(conn))
    binary = installed / "share" / "holt" / "bin" / "holt"
    # A parent that starts the kernel and is killed.
    parent = subprocess.Popen(["sleep", "60"])
    p = subprocess.Popen(
        [binary, "kernel", "-f", str(path)], env={**os.environ, "JPY_PARENT_PID": str(parent.pid)}, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(1)
        assert p.poll() is None
        parent.kill()
        parent.wait()
        p.wait(timeout=15)
    finally:
        p.kill()


def test_no_message_is_answered_twice(kernel):
    ids = [kernel.client.kernel_info() for _ in range(50)]
    seen = []
    while len(seen) < 50:
        seen.append(kernel.client.get_shell_msg(timeout=10)["parent_header"]["msg_id"])
    assert sorted(seen) == sorted(ids)
    with pytest.raises(Empty):
        kernel.client.get_shell_msg(timeout=0.3)
