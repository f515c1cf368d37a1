//go:build linux

package tensorboard

import (
	"fmt"
	"html/template"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// layout is the frame with the address below it: without a script, which
// notebooks that are not trusted drop. They drop the frame too, and keep the address.
var layout = template.Must(template.New("").Parse(
	`<iframe src="{{.URL}}" width="100%" height="{{.Height}}" frameborder="0" title="TensorBoard"></iframe>
<p>TensorBoard of {{.What}}: <a href="{{.URL}}" target="_blank" rel="noopener">{{.URL}}</a>{{range .Notes}}<br>{{.}}{{end}}</p>`))

// Bundle is what a notebook shows of a server: its page, its address, and how to
// come there where the browser is on another machine. The environment is that of the
// cells; TENSORBOARD_PROXY_URL is the address to use, with %PORT% in it, as for
// Python's %tensorboard. Page is the host that the notebook's page comes from, empty
// where that is not known.
func (s Server) Bundle(env []string, page string) frame.Bundle {
	url, local := s.local(page), ""
	if proxy := lookup(env, "TENSORBOARD_PROXY_URL"); proxy != "" {
		url, local = strings.ReplaceAll(proxy, "%PORT%", strconv.Itoa(s.Port)), url
	}
	what := s.LogDir
	if what == "" {
		what = "the logs"
	}
	var notes []string
	if local != "" {
		notes = append(notes, "On the kernel's machine: "+local)
	} else if hint := s.tunnel(env); hint != "" {
		notes = append(notes, hint)
	}
	if s.Reused {
		notes = append(notes, fmt.Sprintf("It ran already, as process %d, since %s; it ends with what started it, or by !kill %[1]d",
			s.PID, s.Started.Format(time.DateTime)))
	} else {
		notes = append(notes, fmt.Sprintf("It ends with this kernel, or by !kill %d", s.PID))
	}
	var html strings.Builder
	err := layout.Execute(&html, struct {
		URL, What string
		Height    int
		Notes     []string
	}{url, what, s.Height, notes})
	b := frame.Text("TensorBoard of " + what + ": " + url + "\n" + strings.Join(notes, "\n"))
	if err == nil { // else the text has all that is needed
		b.Data["text/html"] = html.String()
	}
	return b
}

// local is the address on the kernel's machine.
func (s Server) local(page string) string {
	host := s.dial()
	if s.wide {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	} else if s.Host == "" && page == "127.0.0.1" {
		// For a browser that is another site than localhost, and it may then refuse
		// TensorBoard's page its storage, without which that shows nothing.
		host = page
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(s.Port)) + s.Prefix + "/"
}

// tunnel says how a browser on another machine reaches the server; "" where it
// is not known that there is another machine, and where none is needed.
func (s Server) tunnel(env []string) string {
	if s.wide {
		return ""
	}
	line := func(destination string) string {
		return fmt.Sprintf("ssh -N -L %d:%s %s", s.Port, net.JoinHostPort(s.dial(), strconv.Itoa(s.Port)), destination)
	}
	// Package remote tells its kernels what stands after ssh on the other machine.
	if remote := lookup(env, "HOLT_REMOTE"); remote != "" {
		return "The kernel runs on another machine. Where the browser runs, open a line to it in a terminal, and run this cell again: " + line(remote)
	}
	// CLIENT PORT SERVER PORT, of the login that Jupyter was started from.
	if ssh := strings.Fields(lookup(env, "SSH_CONNECTION")); len(ssh) == 4 {
		destination := ssh[2]
		if user := lookup(env, "USER"); user != "" {
			destination = user + "@" + destination
		}
		return "If the browser runs on another machine, open a line from there in a terminal, and run this cell again: " + line(destination)
	}
	return ""
}
