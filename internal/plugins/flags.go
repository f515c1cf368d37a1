package plugins

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// FlagsEnv is the variable that XLA reads its flags from, when a plugin opens
// its devices. A flag that the plugin does not know ends the whole process,
// and plugins of two versions know two sets: so each is given its own.
const FlagsEnv = "XLA_FLAGS"

// FlagsFor divides what FlagsEnv holds into the flags that the plugin at path
// knows, in their order, and those that it does not. A value that does not
// begin with a dash is the name of a file of flags, as XLA has it.
func FlagsFor(path, value string) (known, unknown []string, err error) {
	value = strings.TrimSpace(value)
	if value != "" && !strings.HasPrefix(value, "-") {
		text, err := os.ReadFile(value)
		if err != nil {
			return nil, nil, fmt.Errorf("%s names a file of flags that cannot be read: %w", FlagsEnv, err)
		}
		value = string(text)
	}
	flags := splitFlags(value)
	if len(flags) == 0 {
		return nil, nil, nil
	}
	names := make([]string, len(flags))
	for i, flag := range flags {
		names[i] = flagName(flag)
	}
	has, err := holds(path, names)
	if err != nil {
		return nil, nil, err
	}
	for i, flag := range flags {
		if has[names[i]] {
			known = append(known, flag)
		} else {
			unknown = append(unknown, flag)
		}
	}
	return known, unknown, nil
}

func flagName(flag string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
	return name
}

// splitFlags divides at white space outside quotes, as XLA does.
func splitFlags(text string) (flags []string) {
	var b strings.Builder
	var quote rune
	flush := func() {
		if b.Len() > 0 {
			flags = append(flags, b.String())
			b.Reset()
		}
	}
	for _, r := range text {
		switch {
		case quote == 0 && strings.ContainsRune(" \t\r\n", r):
			flush()
			continue
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case r == quote:
			quote = 0
		}
		b.WriteRune(r)
	}
	flush()
	return flags
}

// holds reports which names a library has as a text of C, which ends with a
// zero: so it keeps the names of its flags.
func holds(path string, names []string) (map[string]bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	has := map[string]bool{}
	longest := 0
	for _, n := range names {
		longest = max(longest, len(n)+1)
	}
	buf := make([]byte, 1<<20+longest)
	kept := 0 // of the piece before, as long as a name
	for {
		n, err := io.ReadFull(f, buf[kept:kept+1<<20])
		piece := buf[:kept+n]
		for _, name := range names {
			if !has[name] && name != "" && bytes.Contains(piece, append([]byte(name), 0)) {
				has[name] = true
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF || len(has) == len(names) {
			return has, nil
		}
		if err != nil {
			return nil, err
		}
		kept = copy(buf, piece[max(0, len(piece)-longest):])
	}
}

// OwnFlags are flags that Holt adds for CUDA's plugin where the user sets no
// others: where its compiler finds NVIDIA's files, and a folder in which it
// keeps what it measured, or every process would measure again which kernels
// are the fastest.
func OwnFlags(path, value string) []string {
	var flags []string
	add := func(name, folder string) {
		if !strings.Contains(value, "--"+name+"=") {
			if strings.ContainsAny(folder, " \t") {
				folder = `"` + folder + `"`
			}
			flags = append(flags, "--"+name+"="+folder)
		}
	}
	if nvidia := filepath.Join(filepath.Dir(filepath.Dir(path)), "nvidia"); isDir(nvidia) {
		add("xla_gpu_cuda_data_dir", nvidia)
	}
	cache := filepath.Join(filepath.Dir(Dir()), "autotune")
	if os.MkdirAll(cache, 0o755) == nil {
		add("xla_gpu_per_fusion_autotune_cache_dir", cache)
	}
	return flags
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
