package build

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/internal/shell"
)

// extld is what the Go linker calls in place of the C compiler to link a
// plugin. The C compiler would be started four times: three times to find out
// which flags it accepts, twice of which compile and link a whole program, and
// once to start the system's linker, which is all that is needed. A link takes
// half the time without it.
//
// What it cannot do itself (a C library, an option) goes to the C compiler, and
// so does everything when the system's linker fails.
//
// It goes through the arguments once to see whether all are known: those that the system's
// linker does not need it drops, and for any other it hands over to the C compiler. Then it
// gives the linker the output and the objects alone.
//
// In the text, %[1]s is the C compiler, %[2]s the system's linker with its flags, and %[3]s
// further libraries that the host has.
const extld = `#!/bin/sh
# Written by holt: links Go plugins with the system's linker, or with %[1]s.
case "$*" in
*trivial.c) # a probe: does the compiler know this flag?
	case "$*" in
	*--build-id* | *--compress-debug-sections*) exit 0 ;;
	*-Qunused-arguments*) exit 1 ;;
	esac
	exec %[1]s "$@"
	;;
esac
prev=
for a in "$@"; do
	if [ "$prev" = -o ]; then
		prev=
		continue
	fi
	case $a in
	-o) prev=-o ;;
	*.o | -m64 | -s | -shared | -rdynamic | -pthread | -O[0-9] | -g | -fuse-ld=gold | -fPIC) ;;
	-Wl,-z,relro | -Wl,-z,now | -Wl,-z,nocopyreloc | -Wl,-znow | -Wl,-znocopyreloc | -Wl,--build-id=* | -Wl,--compress-debug-sections=*) ;;
	-lpthread | -ldl%[3]s) ;; # the host has them
	*) exec %[1]s "$@" ;;
	esac
done
link() {
	n=$# out=
	while [ $n -gt 0 ]; do
		a=$1
		shift
		n=$((n - 1))
		case $a in
		-o)
			out=$1
			shift
			n=$((n - 1))
			;;
		*.o) set -- "$@" "$a" ;;
		esac
	done
	%[2]s -o "$out" "$@" 2>/dev/null
}
link "$@" || exec %[1]s "$@"
`

// emulations are the system linker's names for what Go calls architectures.
var emulations = map[string]string{"amd64": "elf_x86_64", "arm64": "aarch64linux"}

// systemLinker returns the command, without files, that links a plugin of one
// object, or nil where none is known.
//
// -z now has all symbols bound when the plugin is loaded, so that what is missing is an error
// then; -s leaves out the symbol table, which nothing reads.
func (w *World) systemLinker() []string {
	mode, ok := emulations[w.tc.Arch]
	if !ok || w.tc.Linker == "" {
		return nil
	}
	cmd := []string{w.tc.Linker, "-m", mode, "-shared", "-s", "-z", "relro", "-z", "now", "--hash-style=gnu"}
	if strings.HasSuffix(w.tc.Linker, "gold") {
		cmd = append(cmd, "-O0")
	}
	return cmd
}

// writeExtld writes the script into the world's folder, or none where the system's linker is not
// known. With hasNet, the host holds package net, and so libresolv, which that package asks for.
func (w *World) writeExtld(dir string, hasNet bool) error {
	file := filepath.Join(dir, "extld")
	ld := w.systemLinker()
	if ld == nil {
		os.Remove(file)
		return nil
	}
	resolv := ""
	if hasNet {
		resolv = " | -lresolv"
	}
	text := fmt.Sprintf(extld, shell.Quote(w.tc.CC), quoteAll(ld), resolv)
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}

// extld returns what the Go linker calls to link its objects, as its flag wants it:
// the script, or the C compiler where the system's linker is unknown.
func (w *World) extld() string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	// A name with both kinds of quotes cannot be said to the Go linker.
	file := filepath.Join(w.dir, "extld")
	word, ok := flagWord(file)
	if _, err := os.Stat(file); err != nil || !ok {
		word, _ = flagWord(w.tc.CC)
	}
	return word
}

// flagWord makes s one word of a flag that the Go tools split at blanks, as they
// do with -extld and GOFLAGS. They know quotes, and no way to write both kinds.
//
// For a folder "/my cache" it is
//
//	-extld "/my cache/extld"
//
// ok is false for a text that holds both kinds of quotes, which is returned as it is.
func flagWord(s string) (word string, ok bool) {
	switch {
	case !strings.ContainsAny(s, " \t\n\r'\""):
		return s, true
	case !strings.Contains(s, `"`):
		return `"` + s + `"`, true
	case !strings.Contains(s, "'"):
		return "'" + s + "'", true
	}
	return s, false
}

// quoteAll makes a line of words.
func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, s := range words {
		quoted[i] = shell.Quote(s)
	}
	return strings.Join(quoted, " ")
}
