package remote

import (
	"errors"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/shell"
)

func TestExplain(t *testing.T) {
	m := Machine{Name: "gpu", Destination: "me@gpu.example"}
	tests := []struct{ name, said, want string }{
		{"unknown name", "ssh: Could not resolve hostname gpu.example: Name or service not known\r\n",
			"remote: gpu: ssh me@gpu.example: ssh: Could not resolve hostname gpu.example: Name or service not known; check the name, or give it an alias in ~/.ssh/config"},
		{"no key", "me@gpu.example: Permission denied (publickey,password).\r\n",
			"remote: gpu: ssh me@gpu.example: me@gpu.example: Permission denied (publickey,password).; no key of yours is accepted there: put one there with ssh-copy-id me@gpu.example, and give a key with a passphrase to the agent with ssh-add"},
		{"host key changed", "@@@@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@\nIT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\nHost key verification failed.\r\n",
			"remote: gpu: ssh me@gpu.example: the machine shows another host key than before; if it was installed anew, forget the old key with ssh-keygen -R gpu.example and connect once by hand with ssh me@gpu.example; if not, someone may be listening in"},
		{"host key unknown", "Host key verification failed.\r\n",
			"remote: gpu: ssh me@gpu.example: the machine's host key is not known yet; connect once by hand and compare it: ssh me@gpu.example"},
		{"no sshd", "ssh: connect to host gpu.example port 22: Connection refused\r\n",
			"remote: gpu: ssh me@gpu.example: ssh: connect to host gpu.example port 22: Connection refused; is sshd running there, and on this port? Another port belongs in ~/.ssh/config"},
		{"nobody answers", "ssh: connect to host gpu.example port 22: Connection timed out\r\n",
			"remote: gpu: ssh me@gpu.example: ssh: connect to host gpu.example port 22: Connection timed out; is the machine up, and does the network reach it? Try ssh me@gpu.example"},
		{"nothing said", "", "remote: gpu: ssh me@gpu.example: exit status 255"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := m.explain(errors.New("exit status 255"), tt.said).Error(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestQuote(t *testing.T) {
	if got, want := shell.Quote(`it's $HOME`), `'it'\''s $HOME'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCheckMachine(t *testing.T) {
	tests := []struct {
		m    Machine
		want string
	}{
		{Machine{Name: "gpu", Destination: "me@gpu"}, ""},
		{Machine{Name: "a/b", Destination: "me@gpu"}, `remote: name is "a/b", want letters, digits, dots, hyphens and underscores`},
		{Machine{Name: "gpu", Destination: "-oProxyCommand=x"}, `remote: gpu: destination is "-oProxyCommand=x", want user@host or an alias of ~/.ssh/config`},
		{Machine{Name: "gpu", Destination: ""}, `remote: gpu: destination is "", want user@host`},
		{Machine{Name: "gpu", Destination: "gpu", Grace: -1}, "remote: gpu: grace is -1ns, want 0s or more"},
	}
	for _, tt := range tests {
		err := tt.m.check()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("%+v: got %v, want %s", tt.m, err, tt.want)
		}
	}
}
