package export

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/golden"
)

// TestJobs writes a notebook as each kind of job. The JobSet was checked against the schema of JobSet
// 0.10.1, and the task against that of SkyPilot 0.14.1.
func TestJobs(t *testing.T) {
	dir := t.TempDir()
	notebook := filepath.Join(dir, "My Net_1.ipynb")
	if err := os.WriteFile(notebook, []byte("{\"cells\": [\n \"a: 'b' \\\" #\"\n]}"), 0o644); err != nil {
		t.Fatal(err)
	}
	on := hosts{Nodes: 4, Image: "registry.example/holt:cuda"}
	for name, c := range map[string]Command{
		"jobset": {jobSet: jobSet{JobSet: true, GPUs: 8, Claim: "runs"}},
		"sky":    {skyTask: skyTask{Sky: true, Accelerators: "H100:8", Bucket: "s3://my-runs"}},
	} {
		c.Notebook, c.hosts = notebook, on
		if err := c.checkJob(); err != nil {
			t.Error(name, err)
		}
		if err := c.exportJob(); err != nil {
			t.Fatal(name, err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "My Net_1.yaml"))
		if err != nil {
			t.Fatal(name, err)
		}
		golden.Check(t, name, []byte(strings.ReplaceAll(string(text), dir, "/home/me")))
	}

	if err := os.WriteFile(notebook, make([]byte, 2<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := (jobSet{}).text(notebook, on); err == nil || !strings.Contains(err.Error(), "has 2097152 bytes, and Kubernetes takes at most 1032192 in a ConfigMap; clear its outputs") {
		t.Errorf("error is %v", err)
	}
}

func TestJobChecks(t *testing.T) {
	set, sky := jobSet{JobSet: true, Claim: "b"}, skyTask{Sky: true, Bucket: "gs://b/runs"}
	for _, tt := range []struct {
		c    Command
		want string
	}{
		{Command{hosts: hosts{Nodes: 2}}, "--nodes and --image need --jobset or --sky"},
		{Command{jobSet: jobSet{GPUs: 2}}, "--gpus and --claim need --jobset"},
		{Command{skyTask: sky, hosts: hosts{Image: "a"}, jobSet: jobSet{GPUs: 2}}, "--gpus and --claim need --jobset"},
		{Command{skyTask: skyTask{Accelerators: "H100:8"}}, "--accelerators and --bucket need --sky"},
		{Command{jobSet: set, skyTask: sky}, "--jobset and --sky are two kinds of jobs, want one"},
		{Command{jobSet: set, hosts: hosts{Nodes: -1, Image: "a"}}, "--nodes is -1, want nothing negative"},
		{Command{jobSet: jobSet{JobSet: true, Claim: "b", GPUs: -1}}, "--gpus is -1, want nothing negative"},
		{Command{jobSet: set}, "--jobset needs --image"},
		{Command{skyTask: sky}, "--sky needs --image"},
		{Command{jobSet: jobSet{JobSet: true}}, `--jobset needs --claim, the name of a PersistentVolumeClaim, in which the outputs stay; got ""`},
		{Command{jobSet: jobSet{JobSet: true, Claim: "My Claim"}}, `got "My Claim"`},
		{Command{skyTask: skyTask{Sky: true, Bucket: "runs"}}, `--sky needs --bucket, the address of a bucket, such as s3://runs, in which the outputs stay; got "runs"`},
		{Command{skyTask: skyTask{Sky: true, Bucket: "s3://runs", Accelerators: "8 H100"}}, `--accelerators is "8 H100", want a GPU of SkyPilot's and how many each host has, such as H100:8`},
		{Command{}, ""},
		{Command{jobSet: set, hosts: hosts{Image: "a"}}, ""},
		{Command{skyTask: sky, hosts: hosts{Image: "a"}}, ""},
	} {
		err := tt.c.checkJob()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error is %v, want %q", tt.c, err, tt.want)
		}
	}
	for name, want := range map[string]string{"My Net_1": "my-net-1", "2024": "job-2024", "δ": "job", strings.Repeat("a", 39) + "-b": strings.Repeat("a", 39)} {
		if got := jobName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}
