package remote

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/holt-dl/holt/internal/process"
)

// magic is what an agent says first. All before it is what the login scripts
// of the machine print.
const magic = "\x00holt remote\n"

const (
	greetTimeout = 10 * time.Second // for a hello and its answer
	startTimeout = 30 * time.Second // for a keeper to come up
)

// Agent serves one line that ssh opened on this machine: it reads a hello from
// in, answers on out, and joins the line to the keeper of a session. Keeper is
// the command that starts one, which must call [Keep].
func Agent(ctx context.Context, in io.Reader, out io.Writer, keeper []string) error {
	if _, err := io.WriteString(out, magic); err != nil {
		return err
	}
	r := bufio.NewReader(in)
	p, err := readPacket(r)
	if err != nil {
		return fmt.Errorf("remote: agent: %w; holt itself starts this over ssh", err)
	}
	var h hello
	if err := p.unpack(kindHello, &h); err != nil {
		return err
	}
	answer := func(a reply) error {
		a.Protocol = protocol
		_, err := out.Write(pack(kindReply, a).append(nil))
		return err
	}
	switch {
	case h.Protocol != protocol:
		return answer(reply{Error: fmt.Sprintf("it speaks version %d of the protocol, want %d", protocol, h.Protocol)})
	case h.Do == doList:
		return answer(reply{Sessions: sessions(ctx)})
	case h.Do == doStop:
		return answer(stopSessions(ctx, h.Session))
	case h.Do != doOpen || !validID.MatchString(h.Session):
		return answer(reply{Error: "the request is not understood"})
	}
	conn, err := joinSession(ctx, h, keeper)
	if err != nil {
		return answer(reply{Error: err.Error(), Gone: errors.Is(err, errGone)})
	}
	defer conn.Close()
	h.Start = nil // the keeper has it, and nothing else needs the key
	if _, err := conn.Write(pack(kindHello, h).append(nil)); err != nil {
		return answer(reply{Error: err.Error()})
	}
	go func() {
		io.Copy(conn, r) // until ssh ends
		conn.Close()
	}()
	io.Copy(out, conn) // until the keeper ends, or the line above
	return nil
}

// errGone says that a session is not there, or no more.
var errGone = errors.New("the kernel is not there any more")

// joinSession connects to the keeper of a session, and starts it where the
// hello says how.
func joinSession(ctx context.Context, h hello, keeper []string) (net.Conn, error) {
	base, err := sessionsDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(base, h.Session)
	conn, err := dialKeeper(dir)
	if err == nil {
		return conn, nil
	}
	if h.Start == nil {
		return nil, err
	}
	if err := startKeeper(ctx, h, keeper); err != nil {
		return nil, err
	}
	for end := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := dialKeeper(dir); err == nil || time.Now().After(end) {
			return conn, err
		}
	}
}

func dialKeeper(dir string) (net.Conn, error) {
	rec, err := readRecord(dir)
	if err != nil {
		return nil, errGone
	}
	if rec.Host != hostName() {
		return nil, fmt.Errorf("the kernel runs on %s, and this is %s, another machine with the same home; name one machine in the address", rec.Host, hostName())
	}
	conn, err := net.Dial("unix", rec.Socket)
	if err != nil {
		return nil, errGone
	}
	return conn, nil
}

// startKeeper starts a keeper that outlives this agent and the login that
// started it.
func startKeeper(ctx context.Context, h hello, keeper []string) error {
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("start the kernel: %w", err)
	}
	cmd := exec.Command(keeper[0], keeper[1:]...)
	process.Detach(cmd)
	cmd.Stdin = strings.NewReader(string(data))
	said, err := cmd.StdoutPipe() // the keeper's first word, or its end
	if err != nil {
		return fmt.Errorf("start the kernel: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the kernel: %w", err)
	}
	defer context.AfterFunc(ctx, func() { said.Close() })()
	word, err := io.ReadAll(said)
	if err != nil {
		return fmt.Errorf("start the kernel: %w", err)
	}
	if text := strings.TrimSpace(string(word)); text != keeperReady {
		cmd.Wait()
		if text == "" {
			text = "its keeper ended without a word"
		}
		return errors.New(text)
	}
	go cmd.Wait() // for the standard input to be written
	return nil
}

// sessions asks every keeper of this machine for its state, and removes what
// keepers that were killed left behind.
func sessions(ctx context.Context) []Session {
	var list []Session
	for _, dir := range sessionDirs() {
		if a, err := ask(ctx, dir, doList); err == nil {
			list = append(list, a.Sessions...)
		} else if errors.Is(err, errGone) {
			sweep(dir)
		}
	}
	return list
}

func sessionDirs() []string {
	base, err := sessionsDir()
	if err != nil {
		return nil
	}
	dirs, _ := filepath.Glob(filepath.Join(base, "*"))
	return dirs
}

// sweep removes the folder of a session that is gone. One without a record may
// be about to start.
func sweep(dir string) {
	rec, err := readRecord(dir)
	if err != nil {
		if info, err := os.Stat(dir); err != nil || time.Since(info.ModTime()) < time.Hour {
			return
		}
	} else if sockets := filepath.Dir(rec.Socket); sockets != dir {
		os.RemoveAll(sockets)
	}
	os.RemoveAll(dir)
}

// stopSessions ends the sessions whose id begins with a prefix, and returns them.
func stopSessions(ctx context.Context, prefix string) reply {
	var stopped []Session
	for _, dir := range sessionDirs() {
		if strings.HasPrefix(filepath.Base(dir), prefix) {
			if a, err := ask(ctx, dir, doStop); err == nil {
				stopped = append(stopped, a.Sessions...)
			}
		}
	}
	return reply{Sessions: stopped}
}

// ask sends a keeper a request and returns its answer.
func ask(ctx context.Context, dir, do string) (reply, error) {
	conn, err := dialKeeper(dir)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	return greet(ctx, line{r: bufio.NewReader(conn), w: conn, c: conn}, hello{Do: do, Session: filepath.Base(dir)})
}

// greet sends a hello over a new line and returns what the other side answers.
func greet(ctx context.Context, ln line, h hello) (reply, error) {
	defer context.AfterFunc(ctx, func() { ln.c.Close() })()
	h.Protocol = protocol
	if _, err := ln.w.Write(pack(kindHello, h).append(nil)); err != nil {
		return reply{}, err
	}
	p, err := readPacket(ln.r)
	if err != nil {
		return reply{}, err
	}
	var a reply
	if err := p.unpack(kindReply, &a); err != nil {
		return reply{}, err
	}
	return a, nil
}
