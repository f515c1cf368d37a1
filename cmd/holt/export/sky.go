package export

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/holt-dl/holt/internal/shell"
)

// skyTask writes a notebook as a task of SkyPilot, which rents the hosts, and runs it on each of
// them with variables that holt run reads.
type skyTask struct {
	Sky          bool   `help:"Write a task of SkyPilot that runs the notebook by holt run on hosts that it rents, in place of a program; -o is its file."`
	Accelerators string `placeholder:"GPU:N" help:"With --sky: the GPUs of each host, as sky gpus list names them, such as H100:8."`
	Bucket       string `placeholder:"URL" help:"With --sky: the bucket in whose root the notebook runs, and its outputs, weights and checkpoints stay, such as s3://runs. It must exist."`
}

// accelerators matches SkyPilot's words for the GPUs of a host.
var accelerators = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9_.]*(:[0-9]+)?$`)

// bucket matches the address of a bucket.
var bucket = regexp.MustCompile(`^[a-z0-9]+://[^\s/]\S*$`)

func (s skyTask) check() error {
	switch {
	case !s.Sky && (s.Accelerators != "" || s.Bucket != ""):
		return errors.New("--accelerators and --bucket need --sky")
	case !s.Sky:
		return nil
	case s.Accelerators != "" && !accelerators.MatchString(s.Accelerators):
		return fmt.Errorf("--accelerators is %q, want a GPU of SkyPilot's and how many each host has, such as H100:8", s.Accelerators)
	case !bucket.MatchString(s.Bucket):
		return fmt.Errorf("--sky needs --bucket, the address of a bucket, such as s3://runs, in which the outputs stay; got %q", s.Bucket)
	}
	return nil
}

// skyText is the YAML of the task: https://docs.skypilot.co/en/latest/reference/yaml-spec.html. Of the
// ways in which SkyPilot mounts a bucket, MOUNT_CACHED is the one that takes all that is written.
var skyText = template.Must(template.New("sky").Funcs(template.FuncMap{"quote": quoteJSON}).Parse(`# {{quote .Base}} on {{.Nodes}} {{if eq .Nodes 1}}host{{else}}hosts{{end}}, written by holt export --sky. It needs SkyPilot,
# https://docs.skypilot.co, and the bucket {{.Bucket}}. Then:
#   sky launch FILE
name: {{quote .Name}}
num_nodes: {{.Nodes}}
resources:
  image_id: {{quote (print "docker:" .Image)}}
{{- if .Accelerators}}
  accelerators: {{quote .Accelerators}}
{{- end}}
envs:
  HOLT_JOIN_TIMEOUT: "10m"
file_mounts:
  ~/holt/notebook.ipynb: {{quote .Path}}
  /data:
    source: {{quote .Bucket}}
    mode: MOUNT_CACHED
run: |
  holt run ~/holt/notebook.ipynb --cwd /data -o {{.Word}}
`))

// text returns the task of a notebook.
func (s skyTask) text(notebook string, on hosts) (string, error) {
	path, err := filepath.Abs(notebook)
	if err != nil {
		return "", err
	}
	j := jobOf(notebook, on)
	var out strings.Builder
	err = skyText.Execute(&out, struct {
		skyTask
		jobFields
		Path, Word string
	}{s, j, path, shell.Word(j.Output)})
	return out.String(), err
}
