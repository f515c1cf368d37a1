package xla

import (
	"errors"
	"strings"
	"testing"

	_ "github.com/gomlx/go-xla/compute/xla"
)

// The folders that were searched stay out of the sentence that a notebook shows.
func TestSlowBackendIsSaid(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{"HOLT_HOME", "XDG_DATA_HOME", "LD_LIBRARY_PATH"} {
		t.Setenv(name, "")
	}
	folder := t.TempDir()
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", folder)
	_, err := newBackend("cpu")
	if err == nil {
		t.Skip("there is a plugin all the same")
	}
	said := slower(&Device{Kind: "go"}, []error{err})
	if want := "networks run on the pure-Go backend, many times slower than XLA: there is no plugin for cpu; run holt backend install cpu, and restart the kernel"; said != want {
		t.Errorf("it says %q, want %q", said, want)
	}
	if want := "dl: backend cpu: no backend: no XLA plugin in " + folder + "; run holt backend install cpu"; !errors.Is(err, ErrNoBackend) || err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}
	if said := slower(&Device{Kind: "cpu"}, []error{err}); !strings.HasPrefix(said, "networks run on cpu: there is no plugin for cpu;") {
		t.Errorf("where another backend would be faster it says %q", said)
	}
}
