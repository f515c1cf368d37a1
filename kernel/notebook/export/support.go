package export

import (
	"bytes"
	"fmt"
	"go/format"
	"text/template"
)

// support writes what the program needs beside the cells, or nothing.
func (w *writer) support(holt bool) ([]byte, error) {
	data := map[string]any{
		"Holt": holt, "Vision": w.imports[holtPath+"/dl/vision"] != "",
		"Show": w.helpers["show"], "Shell": w.helpers["shell"], "WriteFile": w.helpers["writefile"],
		"Must": w.helpers["must"], "Must2": w.helpers["must2"], "Musts": w.helpers["musts"],
		"must": w.own("must"), "must2": w.own("must2"), "caught": w.own("caught"), "errorAt": w.own("errorAt"),
		"newErrorAt": w.own("newErrorAt"),
		"show":       w.own("show"), "shell": w.own("shell"), "writeFile": w.own("writeFile"),
	}
	if !holt && !w.helpers["show"] && !w.helpers["shell"] && !w.helpers["writefile"] && !w.helpers["musts"] {
		return nil, nil
	}
	return formatted(supportText, data)
}

// backend writes what makes backends known to a program with networks.
func (w *writer) backend() ([]byte, error) {
	return formatted(backendText, map[string]any{"prepare": w.own("prepare")})
}

// formatted executes the template of a Go file.
func formatted(t *template.Template, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	text, err := format.Source(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("export: %s: %w", t.Name(), err)
	}
	return text, nil
}

// backendText does not depend on the notebook. It is not checked with the rest: its packages
// have C code, for which a machine that only writes programs has no compiler.
var backendText = template.Must(template.New("backend.go").Parse(`package main

// The backends that networks run on, by holt export.

import (
	"fmt"
	"os"
	"syscall"

	_ "github.com/gomlx/compute/gobackend"
	_ "github.com/gomlx/go-xla/compute/xla"
	"github.com/holt-dl/holt/dl/backend"
)

// {{.prepare}} makes the backends of XLA known. Where their plugins lie is read
// before main runs, so the program sets its environment and starts again.
func {{.prepare}}() {
	const started = "HOLT_EXPORT_STARTED"
	if os.Getenv(started) == "" {
		backend.Setup()
		os.Setenv(started, "1")
		if self, err := os.Executable(); err == nil {
			err = syscall.Exec(self, os.Args, os.Environ())
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Unsetenv(started)
	backend.Notices(os.Stderr)
}
`))

var supportText = template.Must(template.New("support.go").Parse(`package main

// What a notebook does by itself, written by holt export.

import (
{{- if and .Show .Holt}}
	"encoding/base64"
{{- end}}
{{- if or .Show .WriteFile .Musts}}
	"fmt"
{{- end}}
{{- if or (and .Show .Holt) .Shell .WriteFile}}
	"os"
{{- end}}
{{- if .Shell}}
	"os/exec"
{{- end}}
{{- if or (and .Show .Holt) .WriteFile .Musts}}
	"path/filepath"
{{- end}}
{{- if .Musts}}
	"runtime"
{{- end}}
{{- if and .Show .Holt}}
	"strings"
{{- end}}
{{if and .Show .Holt}}
	"github.com/holt-dl/holt/display"
{{- end}}
{{- if .Holt}}
	_ "github.com/holt-dl/holt/display/plot"
{{- end}}
{{- if .Vision}}
	_ "github.com/holt-dl/holt/dl/vision/cifarsample"
	_ "github.com/holt-dl/holt/dl/vision/fetch"
	_ "github.com/holt-dl/holt/dl/vision/formats"
{{- end}}
)
{{- if .Must}}
// {{.must}} returns the value of a call that stands inside of a statement. The call's
// error ends the program.
func {{.must}}[T any](value T, err error) T {
	if err != nil {
		panic({{.newErrorAt}}(err))
	}
	return value
}
{{end}}
{{- if .Must2}}
// {{.must2}} does so for a call that returns two values.
func {{.must2}}[T, U any](first T, second U, err error) (T, U) {
	if err != nil {
		panic({{.newErrorAt}}(err))
	}
	return first, second
}
{{end}}
{{- if .Musts}}
// {{.errorAt}} is an error, and the line of the call that returned it.
type {{.errorAt}} struct {
	error
	place string
}

func {{.newErrorAt}}(err error) *{{.errorAt}} {
	_, file, line, _ := runtime.Caller(2)
	return &{{.errorAt}}{err, fmt.Sprintf("%s:%d", filepath.Base(file), line)}
}

// {{.caught}} does what the cells do, and returns the error that ended them.
func {{.caught}}(cells func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *{{.errorAt}}:
			err = fmt.Errorf("%s: %w", r.place, r.error)
		default:
			panic(r)
		}
	}()
	return cells()
}
{{end}}
{{- if and .Show .Holt}}
var pictures int

// {{.show}} prints values as the notebook shows them in text. A picture goes to a
// file in the folder out.
func {{.show}}(values ...any) {
	for _, v := range values {
		b := display.Render(v)
		if text, ok := b.Data["text/plain"].(string); ok {
			fmt.Println(strings.TrimSuffix(text, "\n"))
		}
		data, ok := b.Data["image/png"].(string)
		if !ok {
			continue
		}
		png, err := base64.StdEncoding.DecodeString(data)
		if err == nil {
			err = os.MkdirAll("out", 0o777)
		}
		if err == nil {
			pictures++
			err = os.WriteFile(filepath.Join("out", fmt.Sprintf("%02d.png", pictures)), png, 0o666)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "the picture is not saved:", err)
		}
	}
}
{{else if .Show}}
// {{.show}} prints values much as the notebook shows them.
func {{.show}}(values ...any) {
	for _, v := range values {
		fmt.Printf("%+v\n", v)
	}
}
{{end}}
{{- if .Shell}}
// {{.shell}} runs another program and shows what it prints.
func {{.shell}}(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
{{end}}
{{- if .WriteFile}}
// {{.writeFile}} writes what a cell holds to a file.
func {{.writeFile}}(name, text string) error {
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		return err
	}
	path, err := filepath.Abs(name)
	fmt.Println("wrote", path)
	return err
}
{{end}}`))
