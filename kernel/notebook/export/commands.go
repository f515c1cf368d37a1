package export

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/gonb"
)

// command writes what a line that begins with % or ! does. What Go has no word
// for becomes a comment, and why is the warning.
func (w *writer) command(c gonb.Command) (code, warning string) {
	if cmd, ok := strings.CutPrefix(c.Text, "!"); ok {
		cmd = strings.TrimPrefix(cmd, "*")
		if strings.HasPrefix(strings.TrimSpace(cmd), "go get ") {
			return "// " + c.Text + " (go.mod has it)", ""
		}
		return w.shell("sh", "-c", cmd), ""
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(c.Text, "%"), " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "%", "main", "args":
		if rest == "" && name != "args" {
			return "", ""
		}
		return w.args(strings.Fields(rest)), ""
	case "env":
		key, value, ok := strings.Cut(rest, "=")
		if !ok {
			key, value, ok = strings.Cut(rest, " ")
		}
		if !ok {
			break
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		return fmt.Sprintf("%s.Setenv(%q, %q)\n%s.Println(%q)", w.pkg("os"), key, value, w.pkg("fmt"), key+"="+value), ""
	case "cd":
		if rest == "" {
			break
		}
		return fmt.Sprintf("if err := %s.Chdir(%q); err != nil {\nreturn err\n}", w.pkg("os"), rest), ""
	case "autoget", "noautoget", "goworkfix", "track", "untrack", "goflags", "rm", "remove", "reset", "load_ext", "reload_ext":
		return "", ""
	}
	return "// " + c.Text, fmt.Sprintf("%s has no counterpart in a program: it is a comment there", c.Text)
}

func (w *writer) args(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = ", " + strconv.Quote(a)
	}
	return fmt.Sprintf("%s.Args = append(%[1]s.Args[:1]%s)", w.pkg("os"), strings.Join(quoted, ""))
}

// shell writes the run of a command.
func (w *writer) shell(args ...string) string {
	w.helpers["shell"] = true
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = quote(a)
	}
	return fmt.Sprintf("if err := %s(%s); err != nil {\nreturn err\n}", w.own("shell"), strings.Join(quoted, ", "))
}

// quote writes a text as Go, one of several lines so that it can be read.
func quote(text string) string {
	if strings.Contains(text, "\n") && strconv.CanBackquote(strings.ReplaceAll(text, "\n", "")) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

// magic writes what a cell does that begins with %%name.
func (w *writer) magic(c gonb.Cell) (code, warning string) {
	fields := strings.Fields(strings.TrimPrefix(c.Magic, "%%"))
	switch fields[0] {
	case "bash", "sh":
		return w.shell(append(append([]string{fields[0]}, fields[1:]...), "-c", c.Body)...), ""
	case "writefile":
		if len(fields) == 2 {
			w.helpers["writefile"] = true
			return fmt.Sprintf("if err := %s(%q, %s); err != nil {\nreturn err\n}", w.own("writeFile"), fields[1], quote(c.Body+"\n")), ""
		}
	}
	return "// " + strings.ReplaceAll(c.Magic+"\n"+c.Body, "\n", "\n// "), fmt.Sprintf("the cell that begins with %s has no counterpart in a program: it is a comment there", c.Magic)
}
