package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/golden"
)

// TestJobSet writes a job. Its text was checked against the schema of JobSet 0.10.1.
func TestJobSet(t *testing.T) {
	notebook := filepath.Join(t.TempDir(), "My Net_1.ipynb")
	if err := os.WriteFile(notebook, []byte("{\"cells\": [\n \"a: 'b' \\\" #\"\n]}"), 0o644); err != nil {
		t.Fatal(err)
	}
	j := jobSet{JobSet: true, Nodes: 4, GPUs: 8, Image: "registry.example/holt:cuda", Claim: "runs"}
	file, err := j.write(notebook, "")
	if err != nil || filepath.Base(file) != "My Net_1.yaml" {
		t.Fatal(file, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "jobset", text)

	if err := os.WriteFile(notebook, make([]byte, 2<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := j.write(notebook, ""); err == nil || !strings.Contains(err.Error(), "has 2097152 bytes, and Kubernetes takes at most 1032192 in a ConfigMap; clear its outputs") {
		t.Errorf("error is %v", err)
	}
}

func TestJobSetChecks(t *testing.T) {
	for _, tt := range []struct {
		j    jobSet
		want string
	}{
		{jobSet{Nodes: 2}, "--nodes, --gpus, --image and --claim need --jobset"},
		{jobSet{JobSet: true, Nodes: -1, Image: "a", Claim: "b"}, "--nodes is -1 and --gpus 0, want nothing negative"},
		{jobSet{JobSet: true, Claim: "b"}, "--jobset needs --image"},
		{jobSet{JobSet: true, Image: "a"}, `--jobset needs --claim, the name of a PersistentVolumeClaim, in which the outputs stay; got ""`},
		{jobSet{JobSet: true, Image: "a", Claim: "My Claim"}, `got "My Claim"`},
		{jobSet{}, ""},
		{jobSet{JobSet: true, Image: "a", Claim: "b"}, ""},
	} {
		err := tt.j.check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error is %v, want %q", tt.j, err, tt.want)
		}
	}
	for name, want := range map[string]string{"My Net_1": "my-net-1", "2024": "job-2024", "δ": "job", strings.Repeat("a", 39) + "-b": strings.Repeat("a", 39)} {
		if got := jobName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}
