package xla

import (
	"errors"
	"strings"
	"testing"

	_ "github.com/gomlx/go-xla/compute/xla"

	"github.com/holt-dl/holt/internal/launch"
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

func TestOwnGPU(t *testing.T) {
	for _, tt := range []struct {
		what            string
		rank, processes int // of the host
		gpus            int
		visible         string
		n               int
		own             bool
	}{
		{"alone", 0, 1, 8, "", 0, false},
		{"a GPU for each", 3, 8, 8, "", 3, true},
		{"fewer processes", 1, 2, 8, "", 1, true},
		{"one GPU for all", 1, 2, 1, "", 1, false},
		{"the launcher divides them", 1, 4, 4, "1", 1, false},
		{"the launcher shows all", 1, 4, 8, "0,1,2,3", 1, true},
	} {
		n, own := ownGPUOf(launch.World{LocalRank: tt.rank, LocalSize: tt.processes}, tt.gpus, tt.visible)
		if own != tt.own || own && n != tt.n {
			t.Errorf("%s: %d, %t, want %d, %t", tt.what, n, own, tt.n, tt.own)
		}
	}
}
