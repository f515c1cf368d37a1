package tensorboard_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holt-dl/holt/internal/process"
	"github.com/holt-dl/holt/kernel/machine/tensorboard"
	"github.com/holt-dl/holt/kernel/machine/tensorboard/tensorboardtest"
)

func TestMain(m *testing.M) {
	tensorboardtest.Main()
	if dir := os.Getenv("HOLT_FAKE_KERNEL"); dir != "" { // of TestKilledKernel
		var servers tensorboard.Servers
		s, err := servers.Serve(context.Background(), request(nil, "--logdir", "runs"), setting(dir))
		fmt.Println(s.PID, err)
		select {}
	}
	os.Exit(m.Run())
}

// patience is for a machine with much else to do.
const patience = 60 * time.Second

func request(t *testing.T, words ...string) tensorboard.Request {
	r, err := tensorboard.Parse(words, func(s string) string { return s })
	if err != nil {
		if t == nil {
			panic(err)
		}
		t.Fatal(err)
	}
	return r
}

func setting(dir string) tensorboard.Setting {
	return tensorboard.Setting{Dir: dir, Env: os.Environ(), Temp: dir}
}

// serve asks for a TensorBoard that must come.
func serve(t *testing.T, servers *tensorboard.Servers, dir string, words ...string) tensorboard.Server {
	t.Helper()
	s, err := servers.Serve(context.Background(), request(t, words...), setting(dir))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func alive(pid int) bool {
	stat := process.Stat(pid)
	return len(stat) > 0 && stat[0] != "Z"
}

func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(patience); alive(pid); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d lives on", pid)
		}
	}
}

// TestServe: the same is served by the same, anything else by another.
func TestServe(t *testing.T) {
	temp := tensorboardtest.Use(t)
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(temp, "link")); err != nil {
		t.Fatal(err)
	}
	var mine, other tensorboard.Servers
	defer mine.Close()
	defer other.Close()
	first := serve(t, &mine, dir, "--logdir", "runs")
	if first.Reused || first.Port == 0 || first.LogDir != "runs" {
		t.Errorf("the first is %+v", first)
	}
	port := strconv.Itoa(first.Port)
	for _, words := range [][]string{
		{"--logdir", "runs"}, {"--logdir=runs"}, {"--logdir", "./runs/"}, {"--logdir", filepath.Join(dir, "runs")}, {"--logdir", filepath.Join(temp, "link", "runs")},
		{"--port", port, "--logdir", "runs"}, {"--logdir", "runs", "--port", "0"}, {"--logdir", "runs", "--height", "500"},
	} {
		again := serve(t, &mine, dir, words...)
		if again.PID != first.PID || again.Reused {
			t.Errorf("%q is served by %d, reused %v, want this kernel's %d", words, again.PID, again.Reused, first.PID)
		}
		if there := serve(t, &other, dir, words...); there.PID != first.PID || !there.Reused {
			t.Errorf("another kernel: %q is served by %d, reused %v, want %d, reused", words, there.PID, there.Reused, first.PID)
		}
	}
	for _, words := range [][]string{
		{"--logdir", "other"}, {"--logdir", "runs", "--path_prefix", "/tb"}, {"--logdir", "runs", "--host", "127.0.0.1"},
	} {
		if s := serve(t, &other, dir, words...); s.PID == first.PID || s.Reused {
			t.Errorf("%q is served by %d, reused %v, want a new one", words, s.PID, s.Reused)
		}
	}
	if s := serve(t, &other, temp, "--logdir", "runs"); s.PID == first.PID {
		t.Errorf("runs of another folder is served by the same")
	}
	resp, err := http.Get("http://localhost:" + port + "/data/environment")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	mine.Close()
	gone(t, first.PID)
	if files, _ := filepath.Glob(filepath.Join(temp, ".tensorboard-info", fmt.Sprintf("pid-%d.info", first.PID))); len(files) > 0 {
		t.Errorf("%q stays", files)
	}
	if s := serve(t, &mine, dir, "--logdir", "runs"); s.PID == first.PID || s.Reused {
		t.Errorf("after the end comes %+v, want a new one", s)
	}
}

// TestDeaf: what does not heed SIGTERM is killed.
func TestDeaf(t *testing.T) {
	temp := tensorboardtest.Use(t)
	var servers tensorboard.Servers
	s := serve(t, &servers, t.TempDir(), "--logdir", "deaf")
	servers.Close()
	gone(t, s.PID)
	if files, _ := filepath.Glob(filepath.Join(temp, ".tensorboard-info", "*")); len(files) > 0 {
		t.Errorf("%q stays", files)
	}
}

// TestKilledKernel: no end of the kernel leaves its TensorBoard behind.
func TestKilledKernel(t *testing.T) {
	tensorboardtest.Use(t)
	kernel := exec.Command(os.Args[0])
	kernel.Env = append(os.Environ(), "HOLT_FAKE_KERNEL="+t.TempDir())
	out, err := kernel.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := kernel.Start(); err != nil {
		t.Fatal(err)
	}
	defer kernel.Wait()
	defer kernel.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	var pid int
	if n, _ := fmt.Sscanf(line, "%d <nil>", &pid); n != 1 {
		t.Fatalf("the kernel says %q, %v", line, err)
	}
	if !alive(pid) {
		t.Fatal("TensorBoard ended before its kernel")
	}
	kernel.Process.Kill()
	gone(t, pid)
}

func TestServeFails(t *testing.T) {
	tensorboardtest.Use(t)
	dir := t.TempDir()
	var servers tensorboard.Servers
	defer servers.Close()
	_, err := servers.Serve(context.Background(), request(t, "--logdir", "fail", "--port", "80"), setting(dir))
	if want := "%tensorboard: TensorBoard ended before it served (exit status 255); it said:\nERROR: TensorBoard could not bind to port 80, it was already in use"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	in := setting(dir)
	in.Limit = time.Second
	_, err = servers.Serve(context.Background(), request(t, "--logdir", "hang"), in)
	if want := "%tensorboard: TensorBoard did not serve within 1s; it said:\nthinking; try in a terminal: " + os.Getenv("TENSORBOARD_BINARY") + " --logdir hang"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	ctx, cancel := context.WithCancel(context.Background())
	in = setting(dir)
	in.Say = func(text string) {
		if !strings.HasPrefix(text, "starting TensorBoard … ") {
			t.Errorf("it says %q", text)
		}
		cancel()
	}
	if _, err = servers.Serve(ctx, request(t, "--logdir", "hang"), in); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted, it says %v", err)
	}
}

// keyOfRuns is how a TensorBoard of the folder runs was started in a folder, as its file says.
func keyOfRuns(t *testing.T, dir string) []byte {
	t.Helper()
	key, err := json.Marshal(map[string]any{"arguments": []string{"--logdir", "runs"}, "configure_kwargs": map[string]any{}, "working_directory": dir})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestStrangePeers: files that lead to no TensorBoard of this user are passed by.
func TestStrangePeers(t *testing.T) {
	temp := tensorboardtest.Use(t)
	dir := t.TempDir()
	key := keyOfRuns(t, dir)
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	port := web.Listener.Addr().(*net.TCPAddr).Port
	write := func(pid, port int, key []byte, more map[string]any) string {
		file, err := tensorboardtest.WriteInfo(temp, pid, port, key, more)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Skipf("skipped: %v", err)
	}
	write(dead.ProcessState.Pid(), port, key, nil)                             // was killed
	write(os.Getpid(), port, key, nil)                                         // its port belongs to another program
	write(os.Getppid(), 1, key, map[string]any{"path_prefix": "@example.org"}) // leads away
	write(10, 70_000, key, nil)
	write(11, port, []byte("no json"), nil)
	folder := filepath.Join(temp, ".tensorboard-info")
	for name, text := range map[string]string{"pid-12.info": "{", "pid-13.info": "", "pid-14.info": "[]", "pid-15.info": `{"pid": "1"}`} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("/etc/passwd", filepath.Join(folder, "pid-16.info")), syscall.Mkfifo(filepath.Join(folder, "pid-17.info"), 0o644)); err != nil {
		t.Fatal(err)
	}
	var servers tensorboard.Servers
	defer servers.Close()
	if s := serve(t, &servers, dir, "--logdir", "runs"); s.Reused || s.Port == port {
		t.Errorf("got %+v, want a new one", s)
	}
}

// TestStartedAtOnce: what was just started isn't mistaken for another that says the same
// of itself, and was started in the same second.
func TestStartedAtOnce(t *testing.T) {
	zombie := exec.Command("true")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	defer zombie.Wait()
	gone(t, zombie.Process.Pid)
	for name, pid := range map[string]int{
		"killed, its file left and its end not yet asked for": zombie.Process.Pid,
		"of another kernel": os.Getpid(),
	} {
		t.Run(name, func(t *testing.T) {
			temp, dir := tensorboardtest.Use(t), t.TempDir()
			free, err := net.Listen("tcp", "localhost:0")
			if err != nil {
				t.Fatal(err)
			}
			port := free.Addr().(*net.TCPAddr).Port
			free.Close()
			later := map[string]any{"start_time": time.Now().Add(time.Hour).Unix()}
			if _, err := tensorboardtest.WriteInfo(temp, pid, port, keyOfRuns(t, dir), later); err != nil {
				t.Fatal(err)
			}
			var servers tensorboard.Servers
			defer servers.Close()
			if s := serve(t, &servers, dir, "--logdir", "runs", "--port", strconv.Itoa(port)); s.PID == pid || s.Reused {
				t.Errorf("got %+v, want a new one", s)
			}
		})
	}
}
