package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"text/template"
)

// jobSet writes a notebook as a Kubernetes JobSet: a pod on each host runs it, and each pod gets
// the variables that torchrun sets.
type jobSet struct {
	JobSet bool   `name:"jobset" help:"Write a Kubernetes JobSet that runs the notebook by holt run, in place of a program; -o is its file."`
	GPUs   int    `name:"gpus" placeholder:"N" help:"With --jobset: ask for N NVIDIA GPUs for each pod."`
	Claim  string `placeholder:"NAME" help:"With --jobset: the PersistentVolumeClaim in whose root the notebook runs, and its outputs, weights and checkpoints stay. With several nodes all of them must be able to write it."`
}

// mostNotebook is how many bytes a notebook may have: a ConfigMap holds 1 MiB, with its names.
const mostNotebook = 1<<20 - 1<<14

// kubernetesName matches names of objects in Kubernetes: labels of RFC 1123, and several with dots
// between them.
var kubernetesName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func (j jobSet) check() error {
	switch {
	case !j.JobSet && (j.GPUs != 0 || j.Claim != ""):
		return errors.New("--gpus and --claim need --jobset")
	case !j.JobSet:
		return nil
	case j.GPUs < 0:
		return fmt.Errorf("--gpus is %d, want nothing negative", j.GPUs)
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

// text returns the job of a notebook.
func (j jobSet) text(notebook string, on hosts) (string, error) {
	text, err := os.ReadFile(notebook)
	if err != nil {
		return "", err
	}
	if len(text) > mostNotebook {
		return "", fmt.Errorf("%s has %d bytes, and Kubernetes takes at most %d in a ConfigMap; clear its outputs", notebook, len(text), mostNotebook)
	}
	var out strings.Builder
	err = jobSetText.Execute(&out, struct {
		jobSet
		jobFields
		Notebook string
	}{j, jobOf(notebook, on), string(text)})
	return out.String(), err
}
