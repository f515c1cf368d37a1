package wire

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodFile = `{"transport":"tcp","ip":"127.0.0.1","shell_port":1,"control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5,` +
	`"signature_scheme":"hmac-sha256","key":"top-secret-key","kernel_name":"holt"}`

func TestParseConnection(t *testing.T) {
	with := func(name string, value any) string {
		var m map[string]any
		if err := json.Unmarshal([]byte(goodFile), &m); err != nil {
			t.Fatal(err)
		}
		m[name] = value
		b, _ := json.Marshal(m)
		return string(b)
	}
	tests := []struct {
		name, file, err string
	}{
		{"good", goodFile, ""},
		{"defaults", `{"key":"k"}`, ""},
		{"ipc without a key", `{"transport":"ipc","ip":"/tmp/k"}`, ""},
		{"curve keys that are null", with("curve_secretkey", nil), ""},
		{"no JSON", "top-secret-key", "wire: connection file: it is not a JSON object; let Jupyter start the kernel, or pass a file that it wrote"},
		{"no object", "[]", "wire: connection file: it is not a JSON object; let Jupyter start the kernel, or pass a file that it wrote"},
		{"a port of text", with("shell_port", "1"), "wire: connection file: shell_port is a string, want a whole number"},
		{"a port too large", with("shell_port", 70000), "wire: connection file: shell_port is 70000, want 0 to 65535"},
		{"the same port twice", with("shell_port", 5), "wire: connection file: shell_port and hb_port are both 5"},
		{"empty key", with("key", ""), "wire: connection file: key is empty, want a secret on tcp, where anyone on the network could run code; leave c.Session.key as Jupyter sets it"},
		{"curve", with("curve_secretkey", "abc"), "wire: connection file: curve_secretkey asks for CurveZMQ encryption, which holt does not speak; start the kernel without it, and use ssh to reach another machine"},
		{"scheme", with("signature_scheme", "hmac-md5"), `wire: connection file: signature_scheme is "hmac-md5", want hmac-sha256`},
		{"transport", with("transport", "udp"), `wire: connection file: transport is "udp", want tcp or ipc`},
		{"ipc without a path", `{"transport":"ipc"}`, "wire: connection file: ip is empty, want the path of the ipc sockets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseConnection([]byte(tt.file))
			if got := fmt.Sprint(err); got != tt.err && (tt.err != "" || err != nil) {
				t.Errorf("error is %s\nwant %s", got, tt.err)
			}
		})
	}
}

func TestReadConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.json")
	if _, err := ReadConnection(path); err == nil || !strings.HasPrefix(err.Error(), "wire: connection file: open ") {
		t.Errorf("error is %v", err)
	}
	if err := os.WriteFile(path, []byte(goodFile), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConnection(path)
	if err != nil || c.Shell != 1 || c.Key != "top-secret-key" {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestEndpoint(t *testing.T) {
	tests := []struct {
		c    Connection
		want string
	}{
		{Connection{Transport: "tcp", IP: "127.0.0.1"}, "tcp://127.0.0.1:7"},
		{Connection{Transport: "tcp", IP: "::1"}, "tcp://[::1]:7"},
		{Connection{Transport: "tcp", IP: "*"}, "tcp://*:7"},
		{Connection{Transport: "tcp"}, "tcp://127.0.0.1:7"},
		{Connection{Transport: "ipc", IP: "/run/k"}, "ipc:///run/k-7"},
	}
	for _, tt := range tests {
		if got := tt.c.endpoint(7); got != tt.want {
			t.Errorf("endpoint of %v is %s, want %s", tt.c, got, tt.want)
		}
	}
}

// The sockets are bound to the address of the file, and to no other.
func TestOpenBindsTheAddress(t *testing.T) {
	s, err := Open(Connection{IP: "127.0.0.2", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(0)
	for _, socket := range []*Socket{s.Shell, s.Control, s.Stdin, s.IOPub, s.Heartbeat} {
		addr := socket.Addr().(*net.TCPAddr)
		if !addr.IP.Equal(net.IPv4(127, 0, 0, 2)) {
			t.Errorf("a socket is bound to %v, want 127.0.0.2", addr)
		}
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", addr.Port)); err == nil {
			c.Close()
			t.Errorf("port %d answers at 127.0.0.1 too", addr.Port)
		}
	}
}

// The key reaches no log, however a connection is printed.
func TestKeyIsHidden(t *testing.T) {
	c, err := ParseConnection([]byte(goodFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if s := fmt.Sprintf(format, c); strings.Contains(s, "secret") {
			t.Errorf("%s shows the key: %s", format, s)
		}
	}
}

func FuzzConnection(f *testing.F) {
	f.Add([]byte(goodFile))
	f.Add([]byte(`{"curve_secretkey":"x","key":"top-secret-key"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConnection(data)
		if err != nil {
			if strings.Contains(err.Error(), "top-secret-key") {
				t.Fatalf("the key is in the error: %v", err)
			}
			return
		}
		if c.Transport == "tcp" && c.Key == "" {
			t.Fatal("an empty key was accepted on tcp")
		}
		for _, p := range c.ports() {
			if p.number < 0 || p.number > 65535 {
				t.Fatalf("%s is %d", p.name, p.number)
			}
		}
	})
}
