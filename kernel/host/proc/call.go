package proc

import (
	"context"
	"errors"
	"fmt"

	"github.com/holt-dl/holt/kernel/host/msg"
)

// call calls a function of the host, also while a cell runs. Its answer is
// known by its number. The error is the function's own, an *Exit when the process has ended, or
// ctx's.
func (p *Process) call(ctx context.Context, name string, args ...string) (msg.Return, error) {
	ch := make(chan msg.Return, 1)
	p.mu.Lock()
	p.seq++
	seq := p.seq
	p.calls[seq] = ch
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.calls, seq)
		p.mu.Unlock()
	}()
	if err := p.send(msg.KindCall, 0, msg.Call{Seq: seq, Name: name, Args: args}); err != nil {
		return msg.Return{}, p.lost(err)
	}
	select {
	case r := <-ch:
		if r.Error != "" {
			return r, errors.New(r.Error)
		}
		return r, nil
	case <-p.done:
		return msg.Return{}, p.exit
	case <-ctx.Done():
		return msg.Return{}, fmt.Errorf("proc: %s: %w", name, context.Cause(ctx))
	}
}

// Ping returns when the host answers: its goroutines run, and it reads its socket.
func (p *Process) Ping(ctx context.Context) error {
	_, err := p.call(ctx, msg.Ping)
	return err
}

// Chdir changes the folder of the process and returns its absolute name. Cells see it at once,
// one that runs included.
func (p *Process) Chdir(ctx context.Context, dir string) (string, error) {
	r, err := p.call(ctx, msg.Chdir, dir)
	return r.Text, err
}

// Setenv sets an environment variable of the process.
func (p *Process) Setenv(ctx context.Context, key, value string) error {
	_, err := p.call(ctx, msg.Setenv, key, value)
	return err
}

// Unsetenv removes an environment variable of the process.
func (p *Process) Unsetenv(ctx context.Context, key string) error {
	_, err := p.call(ctx, msg.Unsetenv, key)
	return err
}

// SetArgs sets os.Args[1:], and gives flags that the last ones set their defaults again. It is
// for the time between two cells: package flag has no locks.
func (p *Process) SetArgs(ctx context.Context, args []string) error {
	_, err := p.call(ctx, msg.SetArgs, args...)
	return err
}

// DropFlags forgets flags of package flag, so that a cell can define them again. Names that are
// no flags are passed over. Like SetArgs it is for the time between two cells.
func (p *Process) DropFlags(ctx context.Context, names []string) error {
	_, err := p.call(ctx, msg.DropFlags, names...)
	return err
}

// Memory says what the process uses. Finding out stops its goroutines for a moment.
func (p *Process) Memory(ctx context.Context) (msg.Memory, error) {
	r, err := p.call(ctx, msg.Usage)
	if err != nil || r.Memory == nil {
		return msg.Memory{}, err
	}
	return *r.Memory, nil
}

// Pending counts the displays that may still change, such as the plot of a
// training that goes on.
func (p *Process) Pending(ctx context.Context) (int, error) {
	r, err := p.call(ctx, msg.Pending)
	return r.Pending, err
}

// Leave waits until what goes on without a cell is ended and saved.
func (p *Process) Leave(ctx context.Context) error {
	_, err := p.call(ctx, msg.Leave)
	return err
}

// Steer carries out what a person wishes of what a display shows, by an action such as
// "pause", and its value as JSON.
func (p *Process) Steer(ctx context.Context, display, action, value string) error {
	_, err := p.call(ctx, msg.Steer, display, action, value)
	return err
}

// Stacks returns the trace of all goroutines of the process.
func (p *Process) Stacks(ctx context.Context) (string, error) {
	r, err := p.call(ctx, msg.Stacks)
	return r.Text, err
}
