// Package tensorboardtest gives tests a TensorBoard to start: their own
// program, which then does what TensorBoard does for those who look for it. It
// serves, and says so in a file.
package tensorboardtest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const asked = "HOLT_FAKE_TENSORBOARD"

// Use makes cells find the test's program as their TensorBoard, and no other.
// TestMain must call [Main]. It returns the temporary folder where it leaves its file.
func Use(t testing.TB) (temp string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	temp = t.TempDir()
	t.Setenv("TENSORBOARD_BINARY", self)
	t.Setenv("TMPDIR", temp)
	t.Setenv(asked, "1")
	return temp
}

// Main is TensorBoard in a process that a test started as one, and returns in
// every other. The last part of --logdir says what is to go wrong: "fail" ends at once,
// "hang" never serves, "deaf" does not heed SIGTERM.
func Main() {
	if os.Getenv(asked) == "" || !strings.HasPrefix(strings.Join(os.Args[1:], " "), "--logdir") {
		return
	}
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		os.Exit(255)
	}
	os.Exit(0)
}

func serve(args []string) error {
	option := map[string]string{"--host": "localhost", "--port": "0"}
	for i := 0; i+1 < len(args); i += 2 {
		option[args[i]] = args[i+1]
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	switch filepath.Base(option["--logdir"]) {
	case "fail":
		return fmt.Errorf("TensorBoard could not bind to port %s, it was already in use", option["--port"])
	case "hang":
		fmt.Println("thinking")
		<-end
		return nil
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(option["--host"], option["--port"]))
	if err != nil {
		return err
	}
	prefix := option["--path_prefix"]
	http.HandleFunc(prefix+"/data/environment", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"version": "0.0.0", "data_location": %q}`, option["--logdir"])
	})
	go http.Serve(l, nil)
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	key, err := json.Marshal(map[string]any{"arguments": args, "configure_kwargs": map[string]any{}, "working_directory": dir})
	if err != nil {
		return err
	}
	file, err := WriteInfo(os.TempDir(), os.Getpid(), l.Addr().(*net.TCPAddr).Port, key, map[string]any{"path_prefix": prefix, "logdir": option["--logdir"]})
	if err != nil {
		return err
	}
	defer os.Remove(file)
	<-end
	return nil
}

// WriteInfo writes the file of a TensorBoard, and returns its name.
func WriteInfo(temp string, pid, port int, key []byte, more map[string]any) (string, error) {
	info := map[string]any{
		"version": "0.0.0", "start_time": time.Now().Unix(), "pid": pid, "port": port, "path_prefix": "", "logdir": "", "db": "",
		"cache_key": key, // in base64, as encoding/json has it
	}
	for name, value := range more {
		info[name] = value
	}
	text, err := json.MarshalIndent(info, "", "    ")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(temp, ".tensorboard-info")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	file := filepath.Join(dir, "pid-"+strconv.Itoa(pid)+".info")
	return file, os.WriteFile(file, append(text, '\n'), 0o666)
}
