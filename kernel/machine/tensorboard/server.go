//go:build linux

package tensorboard

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Setting is where a TensorBoard is started from.
type Setting struct {
	Dir  string   // the notebook's folder, for the folder of the logs
	Env  []string // KEY=value
	Temp string   // a folder that lives as long as the kernel, for what TensorBoard says
	// Say is told what is being done, about once a second; nil where it is not shown.
	Say   func(text string)
	Limit time.Duration // to start in; 0 means two minutes, as TensorBoard imports much
}

// Server is a TensorBoard that serves.
type Server struct {
	Request
	PID     int
	Port    int
	Prefix  string // of its path, "" or as in "/tb"
	Started time.Time
	Reused  bool // it ran already
}

// Servers are the TensorBoards that a kernel has started. The zero value has
// none. Its methods may be called by several goroutines.
type Servers struct {
	mu   sync.Mutex
	list []*child
}

const (
	startTime = 2 * time.Minute
	endTime   = 2 * time.Second // what it has to end in
	lookAgain = 100 * time.Millisecond
)

// Serve returns a TensorBoard that shows what a request asks for: one that
// runs already, or a new one, once it serves. The new one ends with Close, and
// with this process in whatever way that ends.
func (s *Servers) Serve(ctx context.Context, r Request, in Setting) (Server, error) {
	temp := tempDir(in.Env)
	for _, i := range peers(temp) {
		if i.shows(r, in.Dir) && i.answers(ctx, r.dial()) {
			return i.server(r, !s.has(i.PID)), nil
		}
	}
	program, err := Find(ctx, in.Env)
	if err != nil {
		return Server{}, err
	}
	p, err := s.start(append(program, r.Args...), in, temp)
	if err != nil {
		return Server{}, fmt.Errorf("%%tensorboard: start %s: %w", program[0], err)
	}
	i, err := p.wait(ctx, r, in, temp)
	if err != nil {
		p.end()
		return Server{}, err
	}
	return i.server(r, false), nil
}

func (i info) server(r Request, reused bool) Server {
	return Server{Request: r, PID: i.PID, Port: i.Port, Prefix: strings.TrimSuffix(i.PathPrefix, "/"), Started: time.Unix(i.StartTime, 0), Reused: reused}
}

// dial is the name under which the server is reached from this machine.
func (r Request) dial() string {
	if r.Host == "" || r.wide {
		return "localhost"
	}
	return r.Host
}

// child is a TensorBoard that was started here.
type child struct {
	cmd     *exec.Cmd
	began   time.Time
	out     *os.File      // what it says
	info    string        // the file that it leaves where others look
	ended   chan struct{} // closed after the end
	outcome error         // of it, set before
}

func (s *Servers) start(args []string, in Setting, temp string) (*child, error) {
	out, err := os.CreateTemp(in.Temp, "tensorboard-")
	if err != nil {
		return nil, err
	}
	p := &child{cmd: exec.Command(args[0], args[1:]...), began: time.Now(), out: out, ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = in.Dir, in.Env
	// A file and no pipe: its data server would hold a pipe open.
	p.cmd.Stdout, p.cmd.Stderr = out, out
	// A group of its own, so that Ctrl-C in the kernel's terminal does not reach it.
	// SIGTERM, at which TensorBoard removes its file and ends its data server.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	go func() {
		// The signal comes when the thread ends that started the process.
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.outcome = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		out.Close()
		return nil, err
	}
	p.info = filepath.Join(temp, infoFolder, fmt.Sprintf("pid-%d.info", p.cmd.Process.Pid))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, p)
	return p, nil
}

// wait waits until the process serves.
func (p *child) wait(ctx context.Context, r Request, in Setting, temp string) (info, error) {
	if in.Limit == 0 {
		in.Limit = startTime
	}
	limit := time.NewTimer(in.Limit)
	defer limit.Stop()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for n := 0; ; n++ {
		if in.Say != nil && n%10 == 0 {
			in.Say(fmt.Sprintf("starting TensorBoard … %.0f s", time.Since(p.began).Seconds()))
		}
		select {
		case <-ctx.Done():
			return info{}, ctx.Err()
		case <-p.ended:
			return info{}, fmt.Errorf("%%tensorboard: TensorBoard ended before it served (%v)%s", p.cmd.ProcessState, p.said())
		case <-limit.C:
			return info{}, fmt.Errorf("%%tensorboard: TensorBoard did not serve within %v%s; try in a terminal: %s", in.Limit, p.said(), strings.Join(p.cmd.Args, " "))
		case <-tick.C:
		}
		for _, i := range peers(temp) {
			if p.runs(i.PID) && i.answers(ctx, r.dial()) {
				return i, nil
			}
		}
	}
}

// runs reports whether a process is this one or one that it started, as a script that
// starts the program does. All that another TensorBoard says of itself may be the same:
// the folder of the logs, the second of its start, and, of one that was killed, the port.
func (p *child) runs(pid int) bool {
	group, err := syscall.Getpgid(pid)
	return err == nil && group == p.cmd.Process.Pid
}

// saidLines is how much of what TensorBoard said an error tells.
const saidLines = 12

// said is the end of what the process has said, for an error.
func (p *child) said() string {
	text, err := os.ReadFile(p.out.Name())
	if err != nil {
		return ""
	}
	lines := strings.Split(string(bytes.TrimSpace(text)), "\n")
	lines = lines[max(0, len(lines)-saidLines):]
	if said := strings.Join(lines, "\n"); said != "" {
		return "; it said:\n" + said
	}
	return ", without a word"
}

// end ends the process, and what it started.
func (p *child) end() {
	defer p.out.Close()
	select {
	case <-p.ended: // the number may belong to another process by now
		return
	default:
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	}
	select {
	case <-p.ended:
	case <-time.After(endTime):
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
		// Python's %tensorboard would take the file for one that serves.
		os.Remove(p.info)
	}
}

// has reports whether a process is one of these.
func (s *Servers) has(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.list, func(p *child) bool {
		select {
		case <-p.ended:
			return false
		default:
			return p.runs(pid)
		}
	})
}

// Close ends all of them.
func (s *Servers) Close() {
	s.mu.Lock()
	list := s.list
	s.list = nil
	s.mu.Unlock()
	var group sync.WaitGroup
	for _, p := range list {
		group.Go(p.end)
	}
	group.Wait()
}
