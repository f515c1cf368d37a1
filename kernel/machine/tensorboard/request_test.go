package tensorboard_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel/machine/tensorboard"
)

func TestParse(t *testing.T) {
	tests := []struct{ line, args, rest, err string }{
		{line: "--logdir runs", args: "--logdir runs", rest: "runs  0 800 false"},
		{line: "--logdir=~/runs --port=6010", args: "--logdir=/home/me/runs --port=6010", rest: "/home/me/runs  6010 800 false"},
		{line: "--height 400 --logdir runs --host 127.0.0.1 --reload_interval 5", args: "--logdir runs --host 127.0.0.1 --reload_interval 5", rest: "runs 127.0.0.1 0 400 false"},
		{line: "serve --logdir runs --bind_all", args: "serve --logdir runs --bind_all", rest: "runs  0 800 false"},
		{line: "--logdir_spec a:runs/a,b:runs/b", args: "--logdir_spec a:runs/a,b:runs/b", rest: "  0 800 false"},
		{line: "--help", args: "--help", rest: "  0 800 true"},
		{line: "", err: "%tensorboard: no --logdir, want the folder that board.Open was given, or one above it; try %tensorboard --logdir runs"},
		{line: "logs/fit", err: "%tensorboard: no --logdir, want the folder that board.Open was given, or one above it; try %tensorboard --logdir logs/fit"},
		{line: "--logdir", err: "%tensorboard: --logdir is the last word, want a value after it"},
		{line: "--logdir=", err: `%tensorboard: --logdir is "", want a folder; . is the one of the notebook`},
		{line: "--logdir runs --port many", err: `%tensorboard: --port is "many", want a number up to 65535; leave it out for one that is free`},
		{line: "--logdir runs --port 65536", err: `%tensorboard: --port is "65536", want a number up to 65535; leave it out for one that is free`},
		{line: "--logdir runs --height 80%", err: `%tensorboard: --height is "80%", want pixels, 100 or more, such as 800`},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			r, err := tensorboard.Parse(strings.Fields(tt.line), func(s string) string { return strings.Replace(s, "~", "/home/me", 1) })
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("got  %v\nwant %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(r.Args, " "); got != tt.args {
				t.Errorf("args are %q, want %q", got, tt.args)
			}
			if got := fmt.Sprint(r.LogDir, " ", r.Host, " ", r.Port, " ", r.Height, " ", r.Tell); got != tt.rest {
				t.Errorf("got %q, want %q", got, tt.rest)
			}
		})
	}
	if !slices.IsSorted(tensorboard.Options) {
		t.Error("the options are not sorted")
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return file
	}
	program := write("program/tensorboard", "")
	has, lacks := write("has/python3", "exit 0"), write("lacks/python3", "exit 1")
	path := func(files ...string) []string {
		var dirs []string
		for _, f := range files {
			dirs = append(dirs, filepath.Dir(f))
		}
		return []string{"PATH=" + strings.Join(dirs, ":")}
	}
	tests := []struct {
		name      string
		env       []string
		want, err string
	}{
		{name: "a program", env: path(lacks, program), want: program},
		{name: "a module", env: path(has), want: has + " -m tensorboard.main"},
		{name: "named", env: append(path(program), "TENSORBOARD_BINARY="+lacks), want: lacks},
		{name: "named, and not there", env: append(path(program), "TENSORBOARD_BINARY=/no/such"),
			err: `%tensorboard: TENSORBOARD_BINARY is "/no/such", want a program; set it to one, or unset it`},
		{name: "not installed", env: path(lacks),
			err: "%tensorboard: there is no program tensorboard in the PATH of the cells; install it with: !python3 -m pip install tensorboard"},
		{name: "no Python", err: "%tensorboard: there is no program tensorboard in the PATH of the cells, and no python3 that could have it; install Python 3, and then: python3 -m pip install tensorboard"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tensorboard.Find(t.Context(), tt.env)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("got  %v\nwant %s", err, tt.err)
				}
			} else if strings.Join(got, " ") != tt.want || err != nil {
				t.Errorf("got %q, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestBundle(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Date(2026, 11, 24, 1, 2, 3, 0, time.Local)
	server := func(words ...string) tensorboard.Server {
		return tensorboard.Server{Request: request(t, words...), PID: 7, Port: 6006, Started: begun}
	}
	reused, prefixed := server("--logdir", "runs"), server("--logdir", "runs", "--path_prefix", "/tb")
	reused.Reused, prefixed.Prefix = true, "/tb"
	const ends = "\nIt ends with this kernel, or by !kill 7"
	tests := []struct {
		name   string
		server tensorboard.Server
		env    []string
		page   string
		text   string
		src    string
	}{
		{"plain", server("--logdir", "runs"), nil, "localhost", "TensorBoard of runs: http://localhost:6006/" + ends, "http://localhost:6006/"},
		{"a page by number", server("--logdir", "runs"), nil, "127.0.0.1", "TensorBoard of runs: http://127.0.0.1:6006/" + ends, "http://127.0.0.1:6006/"},
		{"a page by another name", server("--logdir", "runs"), nil, "lab.example.org", "TensorBoard of runs: http://localhost:6006/" + ends, "http://localhost:6006/"},
		{"specified", server("--logdir_spec", "a:b"), nil, "localhost", "TensorBoard of the logs: http://localhost:6006/" + ends, "http://localhost:6006/"},
		{"a path", prefixed, nil, "localhost", "TensorBoard of runs: http://localhost:6006/tb/" + ends, "http://localhost:6006/tb/"},
		{"reused", reused, nil, "localhost", "TensorBoard of runs: http://localhost:6006/\nIt ran already, as process 7, since 2026-11-24 01:02:03; it ends with what started it, or by !kill 7", "http://localhost:6006/"},
		{"a host", server("--logdir", "runs", "--host", "127.0.0.1"), nil, "localhost", "TensorBoard of runs: http://127.0.0.1:6006/" + ends, "http://127.0.0.1:6006/"},
		{"all networks", server("--logdir", "runs", "--bind_all"), []string{"HOLT_REMOTE=gpu"}, "localhost", "TensorBoard of runs: http://" + host + ":6006/" + ends, "http://" + host + ":6006/"},
		{"a proxy", server("--logdir", "runs"), []string{"TENSORBOARD_PROXY_URL=/user/me/proxy/%PORT%/", "HOLT_REMOTE=gpu"}, "localhost",
			"TensorBoard of runs: /user/me/proxy/6006/\nOn the kernel's machine: http://localhost:6006/" + ends, "/user/me/proxy/6006/"},
		{"another machine", server("--logdir", "runs"), []string{"HOLT_REMOTE=-F c me@gpu", "SSH_CONNECTION=a 1 b 2"}, "localhost",
			"TensorBoard of runs: http://localhost:6006/\nThe kernel runs on another machine. Where the browser runs, open a line to it in a terminal, and run this cell again: ssh -N -L 6006:localhost:6006 -F c me@gpu" + ends, "http://localhost:6006/"},
		{"a login", server("--logdir", "runs"), []string{"USER=me", "SSH_CONNECTION=10.0.0.1 5000 10.0.0.2 22"}, "localhost",
			"TensorBoard of runs: http://localhost:6006/\nIf the browser runs on another machine, open a line from there in a terminal, and run this cell again: ssh -N -L 6006:localhost:6006 me@10.0.0.2" + ends, "http://localhost:6006/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.server.Bundle(tt.env, tt.page)
			if b.Data["text/plain"] != tt.text {
				t.Errorf("got  %s\nwant %s", b.Data["text/plain"], tt.text)
			}
			html := b.Data["text/html"].(string)
			for _, want := range []string{`<iframe src="` + tt.src + `" width="100%" height="800"`, `<a href="` + tt.src + `"`} {
				if !strings.Contains(html, want) {
					t.Errorf("got %s\nwant %s in it", html, want)
				}
			}
		})
	}
	html := server("--logdir", "<img src=x onerror=alert(1)>").Bundle(nil, "").Data["text/html"].(string)
	if strings.Contains(html, "<img") || strings.Contains(html, "<script") {
		t.Errorf("the name of a folder is read as HTML: %s", html)
	}
}
