package session

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// environment is what GoNB sets for cells and commands, so that programs written for it run
// here. GONB_VERSION is the version of GoNB whose packages cells use. What is not known is not
// set.
func (s *Session) environment() []string {
	env := []string{"GONB_DIR=" + s.cwd, "GONB_TMP_DIR=" + s.modules.Dir, "GONB_VERSION=" + gonbVersion()}
	if id := s.kernelID(); id != "" {
		env = append(env, "GONB_JUPYTER_KERNEL_ID="+id)
	}
	if server := s.jupyter(); server.Root != "" {
		env = append(env, "GONB_JUPYTER_ROOT="+server.Root)
	}
	return env
}

// gonbVersion reads the version from the kernel's own binary, which links gonbui's protocol.
func gonbVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/janpfeifer/gonb" {
				return m.Version
			}
		}
	}
	return "unknown"
}

// kernelID is the name by which the Jupyter server knows the kernel, as that of the connection
// file says: kernel-NAME.json. It is "" for a connection file of another name, as a test may
// have it.
func (s *Session) kernelID() string {
	name, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(s.opt.Connection), ".json"), "kernel-")
	if !ok {
		return ""
	}
	return name
}

// server is what is known of the Jupyter server that started the kernel: some fields of the
// file that the server writes about itself. The zero value is none.
type server struct {
	Root string `json:"root_dir"` // the folder that it serves below files/
	Base string `json:"base_url"` // the path of its pages, "/" at both ends
	Host string `json:"hostname"` // in the addresses of its pages; empty where it is not known
}

// jupyter reads what the server has written beside the connection file: jpserver-PID.json, in
// Jupyter's folder for both. JPY_PARENT_PID, which jupyter_client sets for kernels, says which
// server is ours. Where it has not written one, the folder that it was started in counts as the
// one it serves. The zero value says that no server is known.
func (s *Session) jupyter() server {
	pid, err := strconv.Atoi(os.Getenv("JPY_PARENT_PID"))
	if err != nil {
		return server{}
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(s.opt.Connection), fmt.Sprintf("jpserver-%d.json", pid)))
	var found server
	if err == nil && json.Unmarshal(text, &found) == nil && found.Root != "" {
		return found
	}
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return server{}
	}
	return server{Root: dir, Base: "/"}
}
