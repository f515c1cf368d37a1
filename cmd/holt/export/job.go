package export

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// hosts are those of a job that a notebook is written as.
type hosts struct {
	Nodes int    `placeholder:"N" help:"With --jobset or --sky: how many hosts run it together, a process on each. The default is 1."`
	Image string `placeholder:"IMAGE" help:"With --jobset or --sky: the image that the hosts run, which has holt, such as one of make docker."`
}

// jobFields is what the text of a job has of its notebook and its hosts.
type jobFields struct {
	Base, Name, Output string // of the notebook, of the job, and of the notebook with its outputs
	Image              string
	Nodes              int
}

// jobOf is the job of a notebook. Its outputs are in /data, which all hosts share.
func jobOf(notebook string, on hosts) jobFields {
	base := filepath.Base(notebook)
	stem := strings.TrimSuffix(base, ".ipynb")
	return jobFields{base, jobName(stem), "/data/" + stem + ".out.ipynb", on.Image, max(on.Nodes, 1)}
}

// checkJob returns an error for flags that do not fit together.
func (c Command) checkJob() error {
	kind := "--jobset"
	if c.Sky {
		kind = "--sky"
	}
	switch {
	case c.JobSet && c.Sky:
		return errors.New("--jobset and --sky are two kinds of jobs, want one")
	case !c.JobSet && !c.Sky && (c.Nodes != 0 || c.Image != ""):
		return errors.New("--nodes and --image need --jobset or --sky")
	case c.Nodes < 0:
		return fmt.Errorf("--nodes is %d, want nothing negative", c.Nodes)
	}
	if err := errors.Join(c.jobSet.check(), c.skyTask.check()); err != nil {
		return err
	}
	if (c.JobSet || c.Sky) && strings.TrimSpace(c.Image) == "" {
		return fmt.Errorf("%s needs --image, the image that the hosts run; docker/README.md says how to make one", kind)
	}
	return nil
}

// exportJob writes the job of a notebook into a file, the notebook's name with .yaml where that is
// not given. Without --server-side, kubectl would keep the ConfigMap in an annotation, too, which
// holds 256 KiB.
func (c Command) exportJob() error {
	begin, write := "kubectl apply --server-side -f", c.jobSet.text
	if c.Sky {
		begin, write = "sky launch", c.skyTask.text
	}
	text, err := write(c.Notebook, c.hosts)
	if err != nil {
		return err
	}
	file := c.Output
	if file == "" {
		file = strings.TrimSuffix(c.Notebook, ".ipynb") + ".yaml"
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		return err
	}
	fmt.Printf("the job is in %s; begin it with: %s %[1]s\n", file, begin)
	return nil
}

// jobName makes a name for Kubernetes and SkyPilot of any other. Names of pods, which begin with it,
// have at most 63 letters.
func jobName(name string) string {
	name = strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-"), "-")
	if len(name) > 40 {
		name = strings.Trim(name[:40], "-")
	}
	if name == "" || name[0] < 'a' { // a name of a service begins with a letter
		name = strings.Trim("job-"+name, "-")
	}
	return name
}
