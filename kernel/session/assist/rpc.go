package assist

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// maxBody is the largest message that is taken from gopls, in bytes. Its
// answers to completions of large packages have about 1 MB.
const maxBody = 64 << 20

// errEnded is the error of a question to a gopls that has ended. The next question may start
// another.
var errEnded = errors.New("assist: gopls ended")

// rpc is a running language server (JSON-RPC 2.0 over its standard input and output,
// https://microsoft.github.io/language-server-protocol/).
//
// A message is JSON behind a head of its own:
//
//	Content-Length: 52
//
//	{"jsonrpc":"2.0","id":1,"method":"…","params":{…}}
//
// A request has an id and a method, its response the same id and no method, a notification a
// method and no id. Both sides send requests, with ids of their own.
type rpc struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan struct{} // closed when the server has ended

	// mu guards what follows, and makes the writes to in whole messages.
	mu      sync.Mutex
	nextID  int
	waiting map[int]chan response
}

// response is the part of a message that answers a request.
type response struct {
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// envelope is a message of any kind: the fields that it lacks are empty.
type envelope struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	response
}

// dial starts a server. Its process has a group of its own, so that a signal to the kernel's
// does not reach it; it ends when its input does, and so with the kernel.
func dial(program string, args, env []string, dir string) (*rpc, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("assist: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("assist: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("assist: start %s: %w", program, err)
	}
	c := &rpc{cmd: cmd, in: in, done: make(chan struct{}), waiting: map[int]chan response{}}
	// When gopls has closed its output, or sent what is no message, nothing more can come of
	// it: it is killed and waited for.
	go func() {
		c.read(bufio.NewReader(out))
		c.kill()
		cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// kill ends the server and what it has started.
func (c *rpc) kill() { syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }

// close closes the server's input, and kills it when it has not ended in time.
func (c *rpc) close() {
	c.in.Close()
	select {
	case <-c.done:
	case <-time.After(500 * time.Millisecond):
		c.kill()
		<-c.done
	}
}

// ended reports whether the server has ended.
func (c *rpc) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// call sends a request and waits for its result, which it puts into result; nil says that it is
// of no interest. Several calls may be under way.
func (c *rpc) call(ctx context.Context, method string, params, result any) error {
	// Room for one, so that read never waits for a caller that has given up.
	answer := make(chan response, 1)
	c.mu.Lock()
	c.nextID++
	id := c.nextID
	c.waiting[id] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}()
	if err := c.send(method, json.RawMessage(strconv.Itoa(id)), params); err != nil {
		return err
	}
	select {
	case r := <-answer:
		if r.Error != nil {
			return fmt.Errorf("assist: gopls: %s: %s", method, r.Error.Message)
		}
		if result == nil || len(r.Result) == 0 {
			return nil
		}
		if err := json.Unmarshal(r.Result, result); err != nil {
			return fmt.Errorf("assist: gopls: %s: %w", method, err)
		}
		return nil
	// The person types on: gopls need not finish. Its response, which comes all the same, finds
	// no one waiting.
	case <-ctx.Done():
		c.notify("$/cancelRequest", map[string]any{"id": id})
		return ctx.Err()
	case <-c.done:
		return errEnded
	}
}

// notify sends a message that has no response.
func (c *rpc) notify(method string, params any) error { return c.send(method, nil, params) }

// send sends a request, or without an id a notification.
func (c *rpc) send(method string, id json.RawMessage, params any) error {
	p, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("assist: %s: %w", method, err)
	}
	return c.write(envelope{Version: "2.0", ID: id, Method: method, Params: p})
}

// write sends one message. A broken pipe means that the server has ended.
func (c *rpc) write(e any) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("assist: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := fmt.Fprintf(c.in, "Content-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		return errEnded
	}
	return nil
}

// read takes what the server sends until it ends. Notifications, such as diagnostics and
// progress, are dropped.
func (c *rpc) read(r *bufio.Reader) {
	for {
		// A body that is not understood is passed over: the head has said where the next one
		// begins.
		body, err := readBody(r)
		if err != nil {
			return
		}
		var e envelope
		if json.Unmarshal(body, &e) != nil {
			continue
		}
		if e.Method != "" {
			if len(e.ID) > 0 {
				go c.answer(e) // not here: the server may wait for us to read
			}
			continue
		}
		id, err := strconv.Atoi(string(e.ID))
		if err != nil {
			continue
		}
		c.mu.Lock()
		answer := c.waiting[id]
		delete(c.waiting, id)
		c.mu.Unlock()
		if answer != nil {
			answer <- e.response
		}
	}
}

// answer replies to the server's requests to its editor. Gopls asks for its settings, once for
// each folder and not only at the start; anything else is answered with null, since it would
// wait for ever otherwise.
func (c *rpc) answer(e envelope) {
	var result any
	if e.Method == "workspace/configuration" {
		var p struct {
			Items []any `json:"items"`
		}
		// One answer for each item that was asked for, in that order, and the same for all.
		json.Unmarshal(e.Params, &p)
		all := make([]any, len(p.Items))
		for i := range all {
			all[i] = settings
		}
		result = all
	}
	c.write(map[string]any{"jsonrpc": "2.0", "id": e.ID, "result": result})
}

// readBody reads one message without its head. Other fields of the head than the length are of
// no interest.
func readBody(r *bufio.Reader) ([]byte, error) {
	size := -1
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimSpace(line)
		if line == "" {
			break
		}
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Content-Length") {
			if size, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return nil, err
			}
		}
	}
	// Without a length, or with a wrong one, no later message could be found.
	if size < 0 || size > maxBody {
		return nil, fmt.Errorf("assist: message is %d bytes, want at most %d", size, maxBody)
	}
	body := make([]byte, size)
	_, err := io.ReadFull(r, body)
	return body, err
}
