package executables

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Processor describes the processor as far as machine code is made for it. It is
// empty where the system does not tell.
func Processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	return processor(f)
}

// says are the names of the lines that describe a processor, of x86 and of arm.
var says = []string{"vendor_id", "cpu family", "model", "model name", "stepping", "flags",
	"CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features"}

// processor reads the first processor of /proc/cpuinfo, which ends with an empty line.
func processor(r io.Reader) string {
	var b strings.Builder
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && lines.Text() != "" {
		name, value, _ := strings.Cut(lines.Text(), ":")
		if name = strings.TrimSpace(name); slices.Contains(says, name) {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.TrimSpace(value))
		}
	}
	return b.String()
}

// SumOf is the SHA-256 of a plugin, in hexadecimal. A plugin has hundreds of
// megabytes, so the sum is kept in the store, under the path, the size, the time and
// the number of the file.
func (s Store) SumOf(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	var key Key
	stat, known := info.Sys().(*syscall.Stat_t)
	if known {
		key = KeyOf([]byte("plugin"), []byte(path), fmt.Append(nil, info.Size(), info.ModTime(), stat.Ino, stat.Dev))
		if b, err := s.Load(key); err == nil && len(b) == sha256.Size {
			return hex.EncodeToString(b), nil
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	if known {
		s.Save(key, h.Sum(nil)) // else it is counted again
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
