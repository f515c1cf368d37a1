package local

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tools puts programs into the PATH that write what they were given to a file.
func tools(t *testing.T, names ...string) (said string) {
	t.Helper()
	dir := t.TempDir()
	said = filepath.Join(dir, "said")
	for _, name := range names {
		text := "#!/bin/sh\n{ echo \"$0\" \"$@\"; test \"${0##*/}\" = srun || /bin/cat; } >" + said + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return said
}

var job = nodes{Nodes: 4, GPUs: 8}

const jobText = `#!/bin/sh
#SBATCH --job-name=my-net
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
srun /opt/holt run 'my net.ipynb' -p 'name=it'\''s'
`

var command = []string{"/opt/holt", "run", "my net.ipynb", "-p", "name=it's"}

func TestSubmit(t *testing.T) {
	said := tools(t, "sbatch", "srun")
	t.Setenv("SLURM_JOB_ID", "")
	if err := job.run(t.Context(), "my net.ipynb", command, os.Stdout); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(said)
	if _, text, _ := strings.Cut(string(got), "\n"); err != nil || text != jobText {
		t.Errorf("sbatch got\n%s%v", text, err)
	}
	t.Setenv("SLURM_JOB_ID", "7")
	if err := job.run(t.Context(), "my net.ipynb", command, os.Stdout); err != nil {
		t.Fatal(err)
	}
	got, err = os.ReadFile(said)
	want := "/srun --nodes=4 --ntasks-per-node=1 --gpus-per-node=8 /opt/holt run my net.ipynb -p name=it's\n"
	if err != nil || !strings.HasSuffix(string(got), want) {
		t.Errorf("in an allocation %s, %v; want %s", got, err, want)
	}
}

func TestDryRun(t *testing.T) {
	tools(t)
	var b strings.Builder
	dry := job
	dry.DryRun = true
	if err := dry.run(t.Context(), "my net.ipynb", command, &b); err != nil || b.String() != jobText {
		t.Errorf("%v\n%s", err, b.String())
	}
	if err := job.run(t.Context(), "n.ipynb", command, &b); err == nil || !strings.Contains(err.Error(), "--nodes needs Slurm, and sbatch is not found here") {
		t.Errorf("without Slurm: %v", err)
	}
}

func TestNodesWanted(t *testing.T) {
	for _, test := range []struct {
		n    nodes
		want string
	}{
		{nodes{Nodes: -1}, "--nodes is -1 and --gpus 0, want nothing negative"},
		{nodes{GPUs: 8}, "--gpus and --dry-run need --nodes"},
		{nodes{DryRun: true}, "--gpus and --dry-run need --nodes"},
	} {
		if _, err := test.n.wanted(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s", test.n, err, test.want)
		}
	}
}

func TestWithoutNodes(t *testing.T) {
	for args, want := range map[string]string{
		"run --nodes 4 a.ipynb --gpus=8 -p --nodes=1 -o out.ipynb --dry-run -q": "run a.ipynb -p --nodes=1 -o out.ipynb -q",
		"run --cwd --nodes --timeout 90s --nodes=2 --each a.ipynb -- --nodes 3": "run --cwd --nodes --timeout 90s --each a.ipynb -- --nodes 3",
		"run a.ipynb --html --gpus 8 --nodes":                                   "run a.ipynb --html",
	} {
		if got := withoutNodes(strings.Fields(args)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, want %s", args, got, want)
		}
	}
}
