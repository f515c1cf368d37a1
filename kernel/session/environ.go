package session

import (
	"runtime/debug"
)

// environment is what GoNB sets for cells and commands. GONB_VERSION is the
// version of GoNB whose packages cells use.
func (s *Session) environment() []string {
	env := []string{"GONB_DIR=" + s.cwd, "GONB_TMP_DIR=" + s.modules.dir, "GONB_VERSION=" + gonbVersion()}
	if s.opt.KernelID != "" {
		env = append(env, "GONB_JUPYTER_KERNEL_ID="+s.opt.KernelID)
	}
	if root := jupyterRoot(); root != "" {
		env = append(env, "GONB_JUPYTER_ROOT="+root)
	}
	return env
}

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
