package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

// jobSet writes a notebook as a Kubernetes JobSet: a pod on each host runs it, and each pod gets
// the variables that torchrun sets.
type jobSet struct {
	JobSet bool   `name:"jobset" help:"Write a Kubernetes JobSet that runs the notebook by holt run, in place of a program; -o is its file."`
	Nodes  int    `placeholder:"N" help:"With --jobset: how many pods run it together, one on each host. The default is 1."`
	GPUs   int    `name:"gpus" placeholder:"N" help:"With --jobset: ask for N NVIDIA GPUs for each pod."`
	Image  string `placeholder:"IMAGE" help:"With --jobset: the image of the pods, which has holt, such as one of make docker."`
	Claim  string `placeholder:"NAME" help:"With --jobset: the PersistentVolumeClaim in whose root the notebook runs, and its outputs, weights and checkpoints stay. With several nodes all of them must be able to write it."`
}

// mostNotebook is how many bytes a notebook may have: a ConfigMap holds 1 MiB, with its names.
const mostNotebook = 1<<20 - 1<<14

// kubernetesName matches names of objects in Kubernetes: labels of RFC 1123, and several with dots
// between them.
var kubernetesName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func (j jobSet) check() error {
	switch {
	case !j.JobSet && (j.Nodes != 0 || j.GPUs != 0 || j.Image != "" || j.Claim != ""):
		return errors.New("--nodes, --gpus, --image and --claim need --jobset")
	case !j.JobSet:
		return nil
	case j.Nodes < 0 || j.GPUs < 0:
		return fmt.Errorf("--nodes is %d and --gpus %d, want nothing negative", j.Nodes, j.GPUs)
	case strings.TrimSpace(j.Image) == "":
		return errors.New("--jobset needs --image, the image that the pods run; docker/README.md says how to make one")
	case !kubernetesName.MatchString(j.Claim):
		return fmt.Errorf("--jobset needs --claim, the name of a PersistentVolumeClaim, in which the outputs stay; got %q", j.Claim)
	}
	return nil
}

// jobSetText is the YAML of the job. Strings are quoted as JSON, which YAML takes as it is.
//
// JobSet names its pods' hosts NAME-JOB-INDEX-POD.NAME, and an indexed Job notes the index of a pod:
// https://jobset.sigs.k8s.io/docs/concepts, https://kubernetes.io/docs/concepts/workloads/controllers/job
var jobSetText = template.Must(template.New("jobset").Funcs(template.FuncMap{"quote": quoteJSON}).Parse(`# {{quote .Base}} on {{.Nodes}} {{if eq .Nodes 1}}host{{else}}hosts{{end}}, written by holt export --jobset. It needs JobSet in the cluster,
# https://jobset.sigs.k8s.io, and the claim {{.Claim}}. Then:
#   kubectl apply --server-side -f FILE
#   kubectl logs -f -l jobset.sigs.k8s.io/jobset-name={{.Name}} --prefix
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{quote .Name}}
data:
  notebook.ipynb: {{quote .Notebook}}
---
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata:
  name: {{quote .Name}}
spec:
  network:
    enableDNSHostnames: true
  replicatedJobs:
    - name: worker
      replicas: 1
      template:
        spec:
          parallelism: {{.Nodes}}
          completions: {{.Nodes}}
          completionMode: Indexed
          backoffLimit: 0
          template:
            spec:
              restartPolicy: Never
              securityContext:
                fsGroup: 100
              containers:
                - name: holt
                  image: {{quote .Image}}
                  command: ["holt", "run", "/notebook/notebook.ipynb", "--cwd", "/data", "-o", {{quote .Output}}]
                  env:
                    - name: RANK
                      valueFrom:
                        fieldRef:
                          fieldPath: metadata.annotations['batch.kubernetes.io/job-completion-index']
                    - {name: WORLD_SIZE, value: "{{.Nodes}}"}
                    - {name: LOCAL_RANK, value: "0"}
                    - {name: LOCAL_WORLD_SIZE, value: "1"}
                    - {name: MASTER_ADDR, value: "{{.Name}}-worker-0-0.{{.Name}}"}
                    - {name: MASTER_PORT, value: "29500"}
                    - {name: HOLT_JOIN_TIMEOUT, value: "10m"}
{{- if .GPUs}}
                  resources:
                    limits:
                      nvidia.com/gpu: {{.GPUs}}
{{- end}}
                  volumeMounts:
                    - {name: notebook, mountPath: /notebook, readOnly: true}
                    - {name: data, mountPath: /data}
              volumes:
                - name: notebook
                  configMap: {name: {{quote .Name}}}
                - name: data
                  persistentVolumeClaim: {claimName: {{quote .Claim}}}
`))

func quoteJSON(text string) (string, error) {
	quoted, err := json.Marshal(text)
	return string(quoted), err
}

// write writes the job of a notebook to a file, the notebook's name with .yaml where that is "",
// and returns its name.
func (j jobSet) write(notebook, file string) (string, error) {
	text, err := os.ReadFile(notebook)
	if err != nil {
		return "", err
	}
	if len(text) > mostNotebook {
		return "", fmt.Errorf("%s has %d bytes, and Kubernetes takes at most %d in a ConfigMap; clear its outputs", notebook, len(text), mostNotebook)
	}
	base := filepath.Base(notebook)
	stem := strings.TrimSuffix(base, ".ipynb")
	if file == "" {
		file = strings.TrimSuffix(notebook, ".ipynb") + ".yaml"
	}
	var out strings.Builder
	err = jobSetText.Execute(&out, struct {
		jobSet
		Base, Name, Notebook, Output string
		Nodes                        int
	}{j, base, jobName(stem), string(text), "/data/" + stem + ".out.ipynb", max(j.Nodes, 1)})
	if err != nil {
		return "", err
	}
	return file, os.WriteFile(file, []byte(out.String()), 0o666)
}

// jobName makes a name for Kubernetes of any other. Names of pods, which begin with it, have at most
// 63 letters.
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

// exportJobSet writes the job of a notebook. Without --server-side, kubectl would keep the ConfigMap in
// an annotation, too, which holds 256 KiB.
func (c exportCmd) exportJobSet() error {
	file, err := c.write(c.Notebook, c.Output)
	if err != nil {
		return err
	}
	fmt.Printf("the job is in %s; begin it with: kubectl apply --server-side -f %[1]s\n", file)
	return nil
}
