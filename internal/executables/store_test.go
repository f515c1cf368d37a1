package executables

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func key(i int) Key { return KeyOf(fmt.Append(nil, i)) }

func TestKeyOf(t *testing.T) {
	if KeyOf([]byte("ab"), []byte("c")) == KeyOf([]byte("a"), []byte("bc")) {
		t.Error("the parts run into each other")
	}
}

func TestDamaged(t *testing.T) {
	s := Store{Dir: filepath.Join(t.TempDir(), "a", "b"), Limit: 1 << 20}
	if _, err := s.Load(key(1)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
	code := []byte("machine code")
	if err := s.Save(key(1), code); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.file(key(1)))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(b []byte) []byte{
		"cut off":         func(b []byte) []byte { return b[:len(b)-1] },
		"longer":          func(b []byte) []byte { return append(b, 0) },
		"another byte":    func(b []byte) []byte { b[len(b)-3] ^= 1; return b },
		"another sum":     func(b []byte) []byte { b[len(magic)] ^= 1; return b },
		"another format":  func(b []byte) []byte { b[len(magic)-2]++; return b },
		"the magic alone": func(b []byte) []byte { return b[:len(magic)+3] },
		"empty":           func(b []byte) []byte { return nil },
	} {
		if err := os.WriteFile(s.file(key(1)), change(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Look(); err != nil || r.Count != 1 || len(r.Damaged) != 1 {
			t.Errorf("%s: the folder is %+v, %v", name, r, err)
		}
		if b, err := s.Load(key(1)); !errors.Is(err, errDamaged) {
			t.Errorf("%s: it gives %q, %v", name, b, err)
		}
		if _, err := s.Load(key(1)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error is %v after it was removed", name, err)
		}
	}
	// A file under another's name.
	if err := os.WriteFile(s.file(key(2)), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := s.Load(key(2)); !errors.Is(err, errDamaged) {
		t.Errorf("it gives %q, %v", b, err)
	}
	// One that others can write is theirs.
	if err := s.Save(key(1), code); err != nil {
		t.Fatal(err)
	}
	if b, err := s.Load(key(1)); err != nil || !bytes.Equal(b, code) {
		t.Errorf("it gives %q, %v", b, err)
	}
	if err := os.Chmod(s.file(key(1)), 0o666); err != nil {
		t.Fatal(err)
	}
	if b, err := s.Load(key(1)); err == nil || !strings.HasSuffix(err.Error(), ": other users can write it") {
		t.Errorf("it gives %q, %v", b, err)
	}
	if err := s.Save(key(1), code); err != nil {
		t.Fatal(err)
	}
	if b, err := s.Load(key(1)); err != nil || !bytes.Equal(b, code) {
		t.Errorf("it gives %q, %v, after it was written again", b, err)
	}
}

func TestLeastRecentlyUsed(t *testing.T) {
	s := Store{Dir: t.TempDir(), Limit: 1000}
	code := make([]byte, 200)
	for i := range 4 {
		if err := s.Save(key(i), code); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(time.Duration(i-10) * time.Minute)
		if err := os.Chtimes(s.file(key(i)), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Load(key(0)); err != nil { // used again
		t.Fatal(err)
	}
	if err := s.Save(key(4), code); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, true, true, true} {
		if _, err := s.Load(key(i)); (err == nil) != want {
			t.Errorf("file %d: %v", i, err)
		}
	}
	if err := s.Save(key(5), make([]byte, 2000)); err != nil {
		t.Errorf("what is larger than the limit: %v", err)
	}
	if r, err := s.Look(); err != nil || r.Count != 4 || r.Bytes > s.Limit || len(r.Damaged) != 0 {
		t.Errorf("the folder is %+v, %v", r, err)
	}
}

func TestReadOnly(t *testing.T) {
	// Root may write everywhere, so a file stands where the folder should.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := Store{Dir: file, Limit: 1000}
	if err := s.Save(key(1), []byte("code")); err == nil {
		t.Error("it is saved into a file")
	}
	if _, err := s.Look(); err == nil {
		t.Error("a file is a folder")
	}
	if os.Geteuid() == 0 {
		return
	}
	s.Dir = t.TempDir()
	if err := s.Save(key(1), []byte("code")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.Dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(s.Dir, 0o700)
	if b, err := s.Load(key(1)); err != nil || string(b) != "code" {
		t.Errorf("it gives %q, %v", b, err)
	}
	if err := s.Save(key(2), []byte("code")); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error is %v", err)
	}
	if _, err := s.Look(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error is %v", err)
	}
}

func TestDefault(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOLT_HOME", home)
	for value, want := range map[string]string{"": home + "/executables", "/x": "/x", "0": ""} {
		t.Setenv(Env, value)
		if s, ok := Default(); s.Dir != want || ok != (want != "") {
			t.Errorf("%q: the folder is %q, %v", value, s.Dir, ok)
		}
	}
	t.Setenv(Env, "")
	t.Setenv("HOLT_HOME", "/proc/self/holt") // where also root cannot write
	t.Setenv("XDG_CACHE_HOME", home)
	if s, ok := Default(); s.Dir != home+"/holt/executables" || !ok {
		t.Errorf("the folder is %q, %v", s.Dir, ok)
	}
}

func TestSumOf(t *testing.T) {
	s := Store{Dir: t.TempDir(), Limit: 1 << 20}
	plugin := filepath.Join(t.TempDir(), "plugin.so")
	for _, tt := range []struct{ content, want string }{
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcd", "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589"},
	} {
		if err := os.WriteFile(plugin, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // counted, and from the folder
			if got, err := s.SumOf(plugin); err != nil || got != tt.want {
				t.Errorf("sum of %q is %s, %v", tt.content, got, err)
			}
		}
	}
	if _, err := s.SumOf(plugin + "x"); err == nil {
		t.Error("what is not there has a sum")
	}
}

func TestProcessor(t *testing.T) {
	const text = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu MHz\t\t: 2100.000\nflags\t\t: fpu sse\n\nprocessor\t: 1\nvendor_id\t: Other\n"
	if got := processor(strings.NewReader(text)); got != "vendor_id: GenuineIntel\nflags: fpu sse\n" {
		t.Errorf("the processor is %q", got)
	}
}
