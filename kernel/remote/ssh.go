package remote

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/process"
	"github.com/holt-dl/holt/internal/shell"
)

// command is an ssh that runs a command of sh on the machine. It is the ssh of
// the user, with all that ~/.ssh/config says: aliases, keys, jumps. It never
// asks, as there may be no person to answer.
func (m Machine) command(script string) *exec.Cmd {
	program := m.SSH
	if program == "" {
		program = "ssh"
	}
	var args []string
	if m.SSHConfig != "" {
		args = append(args, "-F", m.SSHConfig)
	}
	args = append(args, "-T", "-x",
		"-o", "BatchMode=yes",
		"-o", "ConnectTimeout=15",
		"-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3",
		"-o", "ClearAllForwardings=yes", // those of the user's config may be taken by another ssh
		"-o", "RemoteCommand=none",
		"--", m.Destination, "exec sh -c "+shell.Quote(script))
	cmd := exec.Command(program, args...)
	// A group of its own: Ctrl+C in the terminal of a console interrupts the
	// cell and not the line.
	process.Group(cmd)
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// stderrLimit is how many bytes of what ssh says are kept.
const stderrLimit = 16 << 10

// boundedBuffer keeps the beginning of a program's output, up to a limit.
type boundedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *boundedBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if left := stderrLimit - s.b.Len(); left > 0 {
		s.b.Write(p[:min(left, len(p))])
	}
	return len(p), nil
}

func (s *boundedBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// sshLine is a line to an agent.
type sshLine struct {
	cmd   *exec.Cmd
	in    io.Closer
	said  *boundedBuffer
	once  sync.Once
	ended chan struct{} // closed when ssh has ended
	err   error         // how, after ended
}

// Close ends ssh.
func (l *sshLine) Close() error {
	l.once.Do(func() {
		l.in.Close()
		process.End(l.cmd.Process)
	})
	return nil
}

// open starts an agent on the machine and says hello to it.
func (m Machine) open(ctx context.Context, h hello) (line, reply, error) {
	cmd := m.command("exec " + shell.Quote(m.Holt) + " remote agent")
	l := &sshLine{cmd: cmd, said: new(boundedBuffer), ended: make(chan struct{})}
	cmd.Stderr = l.said
	in, err := cmd.StdinPipe()
	if err != nil {
		return line{}, reply{}, fmt.Errorf("remote: %s: %w", m.Name, err)
	}
	out, outWriter := io.Pipe() // and not StdoutPipe, which Wait would close before all is read
	cmd.Stdout = outWriter
	l.in = in
	if err := cmd.Start(); err != nil {
		return line{}, reply{}, fmt.Errorf("remote: %s: start ssh: %w; install OpenSSH's client, or name the program with --ssh", m.Name, err)
	}
	go func() {
		l.err = cmd.Wait()
		outWriter.Close()
		close(l.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close(); out.Close() })
	defer stop()
	ln := line{r: bufio.NewReaderSize(out, 64<<10), w: in, c: closers{l, out}}
	before, err := skipTo(ln.r, magic)
	if err == nil {
		var a reply
		if a, err = greet(ctx, ln, h); err == nil {
			return ln, a, nil
		}
	}
	ln.c.Close()
	<-l.ended
	if ctx.Err() != nil && l.said.String() == "" {
		return line{}, reply{}, fmt.Errorf("remote: %s: ssh %s: no answer within %s; is the machine up, and the network?", m.Name, m.Destination, openTimeout)
	}
	return line{}, reply{}, m.explain(l.err, l.said.String()+before)
}

// openTimeout is how long ssh, the login and the start of a kernel may take.
const openTimeout = 90 * time.Second

type closers []io.Closer

func (c closers) Close() error {
	var errs []error
	for _, x := range c {
		errs = append(errs, x.Close())
	}
	return errors.Join(errs...)
}

// skipTo reads to the end of a mark, and returns what stood before it. Login
// scripts may print what they like.
func skipTo(r *bufio.Reader, mark string) (before string, err error) {
	var b []byte
	for {
		c, err := r.ReadByte()
		if err != nil {
			return string(b), err
		}
		if b = append(b, c); bytes.HasSuffix(b, []byte(mark)) {
			return string(b[:len(b)-len(mark)]), nil
		}
		if len(b) > 1<<20 {
			return string(b[:200]), errors.New("remote: the machine does not answer as Holt")
		}
	}
}

// SSHError is an ssh that failed.
type SSHError struct {
	Name        string // of the machine
	Destination string
	Said        string // what ssh said, or what the command did
	Fix         string // what to try; empty rather than a guess
}

func (e *SSHError) Error() string {
	msg := fmt.Sprintf("remote: %s: ssh %s: %s", e.Name, e.Destination, e.Said)
	if e.Fix != "" {
		msg += "; " + e.Fix
	}
	return msg
}

// explain makes an error of how ssh ended and what it said.
func (m Machine) explain(err error, said string) error {
	e := &SSHError{Name: m.Name, Destination: m.Destination}
	var lines []string
	for l := range strings.Lines(said) {
		// ssh underlines and frames its warnings.
		if l = strings.Trim(strings.TrimSpace(l), "@"); strings.TrimSpace(l) != "" {
			lines = append(lines, strings.TrimSpace(l))
		}
	}
	if len(lines) > 0 {
		e.Said = lines[len(lines)-1]
	} else {
		e.Said = fmt.Sprint(err)
	}
	ssh := "ssh "
	if m.SSHConfig != "" {
		ssh += "-F " + m.SSHConfig + " "
	}
	has := func(s string) bool { return strings.Contains(said, s) }
	switch {
	case has("IDENTIFICATION HAS CHANGED"):
		e.Said = "the machine shows another host key than before"
		e.Fix = "if it was installed anew, forget the old key with ssh-keygen -R " + m.host() + " and connect once by hand with " + ssh + m.Destination + "; if not, someone may be listening in"
	case has("Host key verification failed"):
		e.Said = "the machine's host key is not known yet"
		e.Fix = "connect once by hand and compare it: " + ssh + m.Destination
	case has("Could not resolve hostname"):
		e.Fix = "check the name, or give it an alias in ~/.ssh/config"
	case has("Permission denied"):
		e.Fix = "no key of yours is accepted there: put one there with ssh-copy-id " + m.Destination + ", and give a key with a passphrase to the agent with ssh-add"
	case has("Connection refused"):
		e.Fix = "is sshd running there, and on this port? Another port belongs in ~/.ssh/config"
	case has("timed out"), has("No route to host"), has("Network is unreachable"):
		e.Fix = "is the machine up, and does the network reach it? Try " + ssh + m.Destination
	case has("Bad configuration option"), has("Can't open user config file"):
		e.Fix = "mend the file of --ssh-config, or leave that out"
	case exitCode(err) == 127:
		e.Fix = fmt.Sprintf("Holt is not there any more: holt remote add %s %s", m.Name, m.Destination)
	}
	return e
}

// host is the machine's name without the user's.
func (m Machine) host() string { return m.Destination[strings.LastIndex(m.Destination, "@")+1:] }

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// output runs a script of sh on the machine, with input, and returns what it
// prints. What it says on its standard error goes to progress as well, where
// that is not nil.
func (m Machine) output(ctx context.Context, script string, input io.Reader, progress io.Writer) (string, error) {
	cmd := m.command(script)
	said := new(boundedBuffer)
	cmd.Stdin, cmd.Stderr = input, said
	if progress != nil {
		cmd.Stderr = io.MultiWriter(said, progress)
	}
	out := new(bytes.Buffer)
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("remote: %s: start ssh: %w; install OpenSSH's client, or name the program with --ssh", m.Name, err)
	}
	stop := context.AfterFunc(ctx, func() { process.End(cmd.Process) })
	defer stop()
	err := cmd.Wait()
	if ctx.Err() != nil {
		return "", fmt.Errorf("remote: %s: stopped: %w", m.Name, ctx.Err())
	}
	if err != nil {
		return out.String(), m.explain(err, said.String())
	}
	return out.String(), nil
}
