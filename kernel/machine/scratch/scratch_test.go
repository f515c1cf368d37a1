package scratch

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSweep kills a process that has a folder, and lets another live.
func TestSweep(t *testing.T) {
	if os.Getenv("SCRATCH_TEST_CHILD") != "" {
		d, err := New()
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(filepath.Join(d.Path, "cell.a"), nil, 0o600)
		fmt.Println("made", d.Path)
		time.Sleep(time.Minute)
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	child := func() (*exec.Cmd, string) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSweep$")
		cmd.Env = append(os.Environ(), "SCRATCH_TEST_CHILD=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		line, err := bufio.NewReader(out).ReadString('\n')
		dir, ok := strings.CutPrefix(strings.TrimSpace(line), "made ")
		if err != nil || !ok {
			t.Fatalf("%q, %v", line, err)
		}
		return cmd, dir
	}
	_, alive := child()
	killed, dead := child()
	mine, err := New()
	if err != nil {
		t.Fatal(err)
	}
	// Folders of others stay: an unmarked one, and one of another name.
	unmarked, named := filepath.Join(temp, "holt-12345"), filepath.Join(temp, "holt-data")
	for _, dir := range []string{unmarked, named} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	os.WriteFile(filepath.Join(named, marker), nil, 0o600)
	Sweep()
	for _, dir := range []string{alive, dead, mine.Path, unmarked, named} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("while all live: %v", err)
		}
	}
	killed.Process.Kill()
	killed.Wait()
	Sweep()
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("the folder of the killed process: %v", err)
	}
	for _, dir := range []string{alive, mine.Path, unmarked, named} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("after one was killed: %v", err)
		}
	}
	if err := mine.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(mine.Path); !os.IsNotExist(err) {
		t.Errorf("after Remove: %v", err)
	}
}

func TestEnsure(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Ensure(); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(d.Path); err != nil {
		t.Fatal(err)
	}
	if d.Intact() {
		t.Error("a removed folder is taken for intact")
	}
	if err := d.Ensure(); err != nil {
		t.Error(err)
	}
	if !d.Intact() {
		t.Error("the new folder is not intact")
	}
	if info, err := os.Stat(d.Path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("made again: %v, %v", info, err)
	}
	Sweep()
	if _, err := os.Stat(d.Path); err != nil {
		t.Errorf("the new folder is not locked: %v", err)
	}
	os.RemoveAll(d.Path)
	if err := os.Symlink(t.TempDir(), d.Path); err != nil {
		t.Fatal(err)
	}
	if d.Intact() {
		t.Error("a link in its place is taken for the folder")
	}
	if err := d.Ensure(); err == nil || !strings.Contains(err.Error(), "something of another user is there now; restart the kernel") {
		t.Errorf("a link in its place: %v", err)
	}
}
