package build

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/holt-dl/holt/internal/process"
)

// command is exec.CommandContext for a tool that starts others: all of them
// are one process group, which a Ctrl-C in the terminal does not reach and
// which ends as a whole when ctx is cancelled.
//
// Without WaitDelay a child that is no longer in the group and has the pipes open would keep
// the caller waiting after the kill.
func command(ctx context.Context, dir string, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = env
	process.Group(cmd)
	cmd.Cancel = func() error { return process.KillGroup(cmd) }
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// run runs cmd, calls line, which may be nil, with each line of its stderr, and
// returns its stdout and the last lines of its stderr.
//
// The whole of stderr would be megabytes with go build's -x, so only its end is kept: between
// 100 and 200 lines. Line is called by another goroutine, one call at a time, and for the
// last time before run returns. Empty lines are left out.
func run(cmd *exec.Cmd, line func(string)) (stdout []byte, stderr string, err error) {
	var out bytes.Buffer
	cmd.Stdout = &out
	pr, pw := io.Pipe()
	cmd.Stderr = pw
	done := make(chan struct{})
	var last []string
	go func() {
		defer close(done)
		// Not a bufio.Scanner, which stops at a line that is too long: then the command would
		// block at its full pipe.
		r := bufio.NewReader(pr)
		for {
			text, err := r.ReadString('\n')
			if text = strings.TrimRight(text, "\n"); text != "" {
				if line != nil {
					line(text)
				}
				if last = append(last, text); len(last) > 200 {
					last = last[100:]
				}
			}
			if err != nil {
				io.Copy(io.Discard, r)
				return
			}
		}
	}()
	err = cmd.Run()
	// The command has ended, so the reader gets the rest and then the end.
	pw.Close()
	<-done
	return out.Bytes(), strings.Join(last, "\n"), err
}
