package dl

import (
	"fmt"
	"strings"

	"github.com/holt-dl/holt/internal/thousands"
)

// String prints the model as PyTorch does, with the output shape and the
// number of parameters of each layer in columns beside it.
func (m *Model) String() string {
	type line struct {
		text, out, params string
	}
	var lines []line
	var visit func(n *module, depth int)
	visit = func(n *module, depth int) {
		pad, name := strings.Repeat("  ", depth), ""
		if depth > 0 {
			name = "(" + n.name + "): "
		}
		l := line{}
		if n.out != nil {
			l.out = fmt.Sprint([]int(n.out))
		}
		if n.params > 0 {
			l.params = thousands.Text(n.params)
		}
		switch {
		case n.again != "":
			l.text = fmt.Sprintf("%s%s%s (the same as %s)", pad, name, n.kind, n.again)
		case len(n.children) == 0:
			text := n.text
			if text == "" {
				text = n.kind + "()"
				if n.leaf && n.out == nil {
					l.out = "not used"
				}
			}
			inner := strings.Split(text, "\n") // MultiheadAttention's is three lines
			l.text = pad + name + inner[0]
			for _, next := range inner[1:] {
				lines = append(lines, l)
				l = line{text: pad + next}
			}
		default:
			l.text = pad + name + n.kind + "("
			lines = append(lines, l)
			for _, child := range n.children {
				visit(child, depth+1)
			}
			l = line{text: pad + ")"}
		}
		lines = append(lines, l)
	}
	visit(m.root, 0)
	lines = append(lines, line{text: m.Note()})
	text, out, params := 0, len("output"), len("params")
	for _, l := range lines {
		text, out, params = max(text, len(l.text)), max(out, len(l.out)), max(params, len(l.params))
	}
	var b strings.Builder
	row := func(l line) {
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-*s  %-*s  %*s", text, l.text, out, l.out, params, l.params), " ") + "\n")
	}
	row(line{"", "output", "params"})
	for _, l := range lines {
		row(l)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Table has a row for each part of the model, those that are inside another indented: its
// name, its settings as PyTorch prints them, the shape of its output and how many trained
// values are its own. A notebook shows it in place of the text.
func (m *Model) Table() (head []string, rows [][]any) {
	var visit func(n *module, depth int)
	visit = func(n *module, depth int) {
		const indent = "\u00a0\u00a0\u00a0" // spaces that HTML keeps
		what, out := n.text, ""
		var params any = ""
		switch {
		case n.again != "":
			what = "the same as " + n.again
		case what == "" && n.leaf && n.out == nil:
			what, out = n.kind+"()", "not used"
		case what == "" || len(n.children) > 0:
			what = n.kind
		}
		if n.out != nil {
			out = strings.ReplaceAll(fmt.Sprint([]int(n.out)), " ", "\u00a0")
		}
		if n.params > 0 {
			params = count(n.params)
		}
		rows = append(rows, []any{strings.Repeat(indent, max(depth-1, 0)) + n.name, what, out, params})
		if n.again == "" {
			for _, child := range n.children {
				visit(child, depth+1)
			}
		}
	}
	visit(m.root, 0)
	return []string{"layer", "", "output", "parameters"}, rows
}

// Note is the line below the table: the input, and the sum of the parameters.
func (m *Model) Note() string {
	note := fmt.Sprintf("Input %v, %s parameters", []int(m.input), thousands.Text(m.NumParams()))
	if n := m.NumTrainable(); n < m.NumParams() {
		note += fmt.Sprintf(", %s not frozen", thousands.Text(n))
	}
	return note
}

// LayerSummary is a line of a [Summary].
type LayerSummary struct {
	Path   string // "features.0"
	Kind   string // "Conv2d"
	Output Shape  // for the input that Build got; nil where it is not known
	Params int    // trained values of its own
	MACs   int    // multiplications with addition; 0 where there is no product of matrices
}

// Summary says what a model costs for the input that [Build] got: its layers,
// and the sums over them.
type Summary struct {
	Layers  []LayerSummary
	Input   Shape
	Params  int // trained values
	Buffers int // values that are not trained: running means and the like
	MACs    int // multiplications with addition in a forward pass

	// Bytes of memory, for float32: the parameters and buffers; the input; the
	// outputs of all layers, which training keeps for the gradients. A
	// training step also holds a gradient for each parameter, the new
	// parameters, and what the optimizer keeps.
	ParamBytes, InputBytes, OutputBytes int
}

// Summary counts parameters, multiplications and memory.
func (m *Model) Summary() Summary {
	s := Summary{Input: append(Shape{}, m.input...), InputBytes: m.input.Size() * m.dtype.Size()}
	for _, spec := range m.specs {
		s.ParamBytes += spec.shape.Size() * spec.dtype.Size()
		if spec.trained {
			s.Params += spec.shape.Size()
		} else {
			s.Buffers += spec.shape.Size()
		}
	}
	var visit func(n *module)
	visit = func(n *module) {
		if len(n.children) == 0 && n.again == "" {
			s.Layers = append(s.Layers, LayerSummary{n.path, n.kind, n.out, n.params, n.macs})
			s.MACs += n.macs
			if n.out != nil {
				s.OutputBytes += n.out.Size() * Float32.Size()
			}
		}
		for _, child := range n.children {
			visit(child)
		}
	}
	visit(m.root)
	return s
}

// Table has a row for each layer, and one for their sums. A notebook shows it
// in place of the text.
func (s Summary) Table() (head []string, rows [][]any) {
	head = []string{"layer", "", "output", "parameters", "MACs"}
	some := func(n int) any {
		if n == 0 {
			return ""
		}
		return count(n)
	}
	for _, l := range s.Layers {
		out := ""
		if l.Output != nil {
			out = fmt.Sprint([]int(l.Output))
		}
		rows = append(rows, []any{l.Path, l.Kind, out, some(l.Params), some(l.MACs)})
	}
	return head, append(rows, []any{"sum", "", "", count(s.Params), count(s.MACs)})
}

// Note is the line below the table: memory.
func (s Summary) Note() string {
	return fmt.Sprintf("Input %v: %s; parameters %s, outputs of all layers %s", []int(s.Input), bytesText(s.InputBytes), bytesText(s.ParamBytes), bytesText(s.OutputBytes))
}

// String writes the table and the note as text.
func (s Summary) String() string {
	head, rows := s.Table()
	return tableText(head, rows, 2) + "\n" + s.Note()
}

// bytesText writes a number of bytes for a person.
func bytesText(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
