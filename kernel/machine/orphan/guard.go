package orphan

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"

	"github.com/holt-dl/holt/internal/process"
)

// Guard has a process group killed when this process ends before release is
// called, in whatever way it ends: a child can ask the system to die with its
// parent, but its own children live on. A shell in a session of its own waits for
// the end of a pipe that this process holds.
func Guard(group int) (release func()) {
	guard.once.Do(guard.start)
	guard.tell('+', group)
	return sync.OnceFunc(func() { guard.tell('-', group) })
}

var guard watcher

// watcher is the shell that waits.
type watcher struct {
	once sync.Once
	mu   sync.Mutex
	pipe *os.File // nil where there is no shell
}

// script reads process groups from its input, and kills them at the end of its input.
const script = `trap '' HUP INT QUIT TERM
groups=
while read -r what group; do
	rest=
	for g in $groups; do
		[ "$g" = "$group" ] || rest="$rest $g"
	done
	groups=$rest
	[ "$what" = - ] || groups="$rest $group"
done
for g in $groups; do
	kill -s KILL -- "-$g" 2>/dev/null
done`

func (w *watcher) start() {
	r, pipe, err := os.Pipe()
	if err != nil {
		slog.Warn("programs that cells start may outlive a kernel that is killed", "why", err)
		return
	}
	defer r.Close()
	cmd := exec.Command("sh", "-c", script)
	cmd.Stdin, cmd.Dir = r, "/"
	process.Detach(cmd)
	if err := cmd.Start(); err != nil {
		slog.Warn("programs that cells start may outlive a kernel that is killed", "why", err)
		pipe.Close()
		return
	}
	go cmd.Wait()
	w.pipe = pipe
}

func (w *watcher) tell(what rune, group int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pipe != nil {
		fmt.Fprintf(w.pipe, "%c %d\n", what, group)
	}
}
