package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/kernel/jupyter/spec"
)

// Machine is another machine that Holt is installed on.
type Machine struct {
	Name        string            `json:"name"`
	Destination string            `json:"destination"`          // as ssh takes it: user@host, or an alias
	SSHConfig   string            `json:"ssh_config,omitempty"` // a file in the place of ~/.ssh/config
	SSH         string            `json:"ssh,omitempty"`        // a program in the place of ssh
	Holt        string            `json:"holt"`                 // where holt lies there
	Version     string            `json:"version"`              // of that holt
	Dir         string            `json:"dir,omitempty"`        // where kernels run there; empty means home
	Grace       time.Duration     `json:"grace"`                // how long a kernel waits for a line that was cut
	Env         map[string]string `json:"env"`                  // of kernels there: PATH, HOLT_BACKEND
	Spec        string            `json:"spec"`                 // the folder of its kernelspec here
}

// environ is the environment of kernels there: Env, and HOLT_REMOTE, which says how
// ssh reaches that machine from here, for commands that a cell shows to the user.
func (m Machine) environ() map[string]string {
	env := map[string]string{"HOLT_REMOTE": m.Destination}
	if m.SSHConfig != "" {
		env["HOLT_REMOTE"] = "-F " + m.SSHConfig + " " + m.Destination
	}
	maps.Copy(env, m.Env)
	return env
}

var validName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*$`)

// check says what is wrong with a name or a destination that a person typed.
func (m Machine) check() error {
	if !validName.MatchString(m.Name) {
		return fmt.Errorf("remote: name is %q, want letters, digits, dots, hyphens and underscores", m.Name)
	}
	if m.Destination == "" || strings.HasPrefix(m.Destination, "-") || strings.ContainsAny(m.Destination, " \t\n'\"`$") {
		return fmt.Errorf("remote: %s: destination is %q, want user@host or an alias of ~/.ssh/config", m.Name, m.Destination)
	}
	if m.Grace < 0 {
		return fmt.Errorf("remote: %s: grace is %s, want 0s or more", m.Name, m.Grace)
	}
	return nil
}

func machineFile(name string) (string, error) {
	home, err := spec.Home()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, "remote", strings.ToLower(name)+".json"), nil
}

// Find returns the machine of a name.
func Find(name string) (Machine, error) {
	if !validName.MatchString(name) {
		return Machine{}, fmt.Errorf("remote: name is %q, want letters, digits, dots, hyphens and underscores", name)
	}
	file, err := machineFile(name)
	if err != nil {
		return Machine{}, err
	}
	m, err := readMachine(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Machine{}, fmt.Errorf("remote: there is no machine %q; holt remote list names those that are, and holt remote add %s user@host adds it", name, name)
	}
	return m, err
}

func readMachine(file string) (Machine, error) {
	var m Machine
	data, err := os.ReadFile(file)
	if err != nil {
		return m, fmt.Errorf("remote: %w", err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("remote: %s is not what holt remote add writes: %w", file, err)
	}
	return m, nil
}

// List returns all machines, by name.
func List() ([]Machine, error) {
	any, err := machineFile("any")
	if err != nil {
		return nil, err
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(any), "*.json"))
	slices.Sort(files)
	var list []Machine
	for _, file := range files {
		m, err := readMachine(file)
		if err != nil {
			return list, err
		}
		list = append(list, m)
	}
	return list, nil
}

func (m Machine) save() error {
	file, err := machineFile(m.Name)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("remote: %w", err)
	}
	if err := aside.WriteMode(file, 0o600, aside.Bytes(append(data, '\n'))); err != nil {
		return fmt.Errorf("remote: %w", err)
	}
	return nil
}

// Remove forgets a machine and its kernelspec. What is on that machine stays.
func Remove(name string) (Machine, error) {
	m, err := Find(name)
	if err != nil {
		return m, err
	}
	if m.Spec != "" {
		if err := os.RemoveAll(m.Spec); err != nil {
			return m, fmt.Errorf("remote: %w", err)
		}
	}
	file, err := machineFile(name)
	if err != nil {
		return m, err
	}
	if err := os.Remove(file); err != nil {
		return m, fmt.Errorf("remote: %w", err)
	}
	return m, nil
}
