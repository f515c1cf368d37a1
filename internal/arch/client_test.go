package arch

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestClient looks at holt as it is built for systems on which no cells run: of the host's
// packages, and of those that run cells in it, nothing is in it. What compiles packages is, for
// holt export, which reads what they export.
func TestClient(t *testing.T) {
	readSources(t)
	for _, system := range []string{"darwin", "windows"} {
		cmd := exec.Command("go", "list", "-deps", module+"/cmd/holt")
		cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: go list: %v\n%s", system, err, out)
		}
		for _, path := range strings.Fields(string(out)) {
			for _, never := range []string{"/kernel/host", "/kernel/session", "/cmd/holt/local", "/dl", "/display"} {
				if under(path, module+never) && path != module+"/dl/words" && path != module+"/kernel/session/modules" {
					t.Errorf("%s: holt depends on %s", system, path)
				}
			}
		}
	}
}
