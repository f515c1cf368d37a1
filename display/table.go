package display

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/thousands"
)

// Table is rows and columns, as HTML and as aligned text. Numbers are aligned to the
// right. Names and values are escaped: they are text, never markup.
type Table struct {
	// Rows is a slice of structs (a row each, a column for each exported
	// field, and for each field of a struct in it), of slices, or of maps with
	// string keys; a map (two columns, sorted by key); one struct (a row for
	// each field); or a slice of anything else, one column.
	Rows any

	Head  []string // names of the columns; empty for what Rows gives
	Title string
	Max   int // how many rows are shown, from 10 on with a slice's last five among them; 0 means 50
}

// Of a long slice the last rows are shown, too: what came last is often what one wants to know.
const (
	lastRows = 5
	fewRows  = 10 // with fewer rows than that, only the first are shown
)

func (t Table) bundle() (frame.Bundle, error) {
	head, rows, total, err := t.cells()
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Table: %w", err)
	}
	right := make([]bool, countColumns(head, rows))
	for c := range right {
		right[c] = isRight(rows, c)
	}
	more := ""
	if n := len(rows); total > n {
		more = fmt.Sprintf("… %d more rows", total-n)
		if v := reflect.Indirect(reflect.ValueOf(t.Rows)); v.Kind() != reflect.Map && n >= fewRows {
			rows = slices.Insert(rows, n-lastRows, []cell(nil)) // where the others are left out
		}
	}
	return frame.Bundle{Data: map[string]any{
		"text/plain": t.text(head, rows, right, more),
		"text/html":  t.html(head, rows, right, more),
	}}, nil
}

// cell is one value of a table.
type cell struct {
	text   string
	number bool
}

// isRight reports whether a column is aligned to the right: numbers are, and texts
// that are numbers as a person writes them, 1,234 or 62.5 %. Texts of digits
// alone may be names.
func isRight(rows [][]cell, c int) bool {
	number := false
	for _, row := range rows {
		if c >= len(row) || row[c].text == "" {
			continue
		}
		text := row[c].text
		written := strings.ContainsAny(text, "0123456789") && strings.Trim(text, "0123456789.,+-% ") == ""
		if !row[c].number && !written {
			return false
		}
		number = number || row[c].number || strings.ContainsAny(text, ",%")
	}
	return number
}

func cellOf(v reflect.Value) cell {
	for v.IsValid() && (v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer) && !v.IsNil() {
		if _, ok := method(v); ok && v.Kind() == reflect.Pointer {
			break
		}
		v = v.Elem()
	}
	if !v.IsValid() || (v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer) && v.IsNil() {
		return cell{}
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		return cell{brief(time.Duration(v.Int())), true}
	}
	if v.Type() == reflect.TypeFor[fixed3]() {
		return cell{strconv.FormatFloat(v.Float(), 'f', 3, 64), true}
	}
	if v.Type() == reflect.TypeFor[brief3]() {
		return cell{strconv.FormatFloat(v.Float(), 'g', 3, 64), true}
	}
	if v.Type() == reflect.TypeFor[grouped]() {
		return cell{thousands.Text(int(v.Int())), true}
	}
	if s, ok := method(v); ok {
		return cell{text: cut(s, maxInner)}
	}
	switch {
	case v.CanFloat():
		return cell{decimal(v.Float()), true}
	case v.CanInt() || v.CanUint():
		return cell{fmt.Sprint(v), true}
	case v.Kind() == reflect.String:
		return cell{text: cut(v.String(), maxInner)}
	}
	p := printer{left: maxInner}
	return cell{text: cut(p.value(v, 0, false), maxInner)}
}

// fixed3 is a number that a table shows with three decimals, so that they are
// under each other.
type fixed3 float64

// brief3 is a number that a table shows in three significant digits, and grouped one
// that it shows with commas.
type (
	brief3  float64
	grouped int
)

// decimal writes v in at most five significant digits.
func decimal(v float64) string {
	if a := math.Abs(v); a >= 1e5 && a < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}

func (t Table) cells() (head []string, rows [][]cell, total int, err error) {
	v := reflect.ValueOf(t.Rows)
	for v.IsValid() && v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	most := t.Max
	if most <= 0 {
		most = 50
	}
	if !v.IsValid() {
		return nil, nil, 0, fmt.Errorf("Rows is %s, want a slice, a map or a struct", kindName(t.Rows))
	}
	switch v.Kind() {
	case reflect.Map:
		head = []string{"key", "value"}
		keys := v.MapKeys()
		slices.SortStableFunc(keys, compare)
		total = len(keys)
		for _, key := range keys[:min(total, most)] {
			rows = append(rows, []cell{cellOf(key), cellOf(v.MapIndex(key))})
		}
	case reflect.Struct:
		head = []string{"field", "value"}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				rows = append(rows, []cell{{text: f.Name}, cellOf(v.Field(i))})
			}
		}
		total = len(rows)
	case reflect.Slice, reflect.Array:
		total = v.Len()
		head, rows = rowsOf(ends(v, most))
	default:
		return nil, nil, 0, fmt.Errorf("Rows is a %s, want a slice, a map or a struct", kindName(t.Rows))
	}
	if len(t.Head) > 0 {
		head = t.Head
	}
	return head, rows, total, nil
}

// ends is a slice or an array with at most so many of its elements: the first, and the
// last five where there are ten or more.
func ends(v reflect.Value, most int) reflect.Value {
	list := reflect.MakeSlice(reflect.SliceOf(v.Type().Elem()), 0, min(v.Len(), most))
	for i := range min(v.Len(), most) {
		if v.Len() > most && most >= fewRows && i >= most-lastRows {
			i += v.Len() - most
		}
		list = reflect.Append(list, v.Index(i))
	}
	return list
}

// rowsOf reads the elements of a slice.
func rowsOf(v reflect.Value) (head []string, rows [][]cell) {
	n := v.Len()
	elem := v.Type().Elem()
	for elem.Kind() == reflect.Pointer {
		elem = elem.Elem()
	}
	switch {
	case elem.Kind() == reflect.Struct && exported(elem) > 0:
		fields := columns(elem)
		for _, f := range fields {
			head = append(head, f.name)
		}
		for i := range n {
			e := v.Index(i)
			for e.Kind() == reflect.Pointer && !e.IsNil() {
				e = e.Elem()
			}
			var row []cell
			for _, f := range fields {
				if e.Kind() == reflect.Struct {
					row = append(row, cellOf(e.FieldByIndex(f.index)))
				}
			}
			rows = append(rows, row)
		}
	case elem.Kind() == reflect.Slice || elem.Kind() == reflect.Array:
		for i := range n {
			var row []cell
			for j := range v.Index(i).Len() {
				row = append(row, cellOf(v.Index(i).Index(j)))
			}
			rows = append(rows, row)
		}
	case elem.Kind() == reflect.Map && elem.Key().Kind() == reflect.String:
		for i := range n {
			for _, key := range v.Index(i).MapKeys() {
				if !slices.Contains(head, key.String()) {
					head = append(head, key.String())
				}
			}
		}
		slices.Sort(head)
		for i := range n {
			var row []cell
			for _, name := range head {
				row = append(row, cellOf(v.Index(i).MapIndex(reflect.ValueOf(name).Convert(elem.Key()))))
			}
			rows = append(rows, row)
		}
	default:
		for i := range n {
			rows = append(rows, []cell{cellOf(v.Index(i))})
		}
	}
	return head, rows
}

// column is a field of a struct, or a field of a struct in it.
type column struct {
	name  string
	index []int
}

func columns(t reflect.Type) (out []column) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case !f.IsExported():
		case f.Type.Kind() == reflect.Struct && f.Type.NumField() > 0 && exported(f.Type) == f.Type.NumField():
			for j := range f.Type.NumField() {
				out = append(out, column{f.Name + "." + f.Type.Field(j).Name, []int{i, j}})
			}
		default:
			out = append(out, column{f.Name, []int{i}})
		}
	}
	return out
}

// exported counts the exported fields of a struct.
func exported(t reflect.Type) (n int) {
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			n++
		}
	}
	return n
}

// hasText reports whether values of a type, or pointers to them, describe
// themselves, so that their fields are not shown.
func hasText(t reflect.Type) bool {
	for _, want := range []reflect.Type{reflect.TypeFor[error](), reflect.TypeFor[fmt.Stringer]()} {
		if t.Implements(want) || reflect.PointerTo(t).Implements(want) {
			return true
		}
	}
	return false
}

// isTable reports whether a cell's result is better read as a table: several
// structs with exported fields and no text of their own.
func isTable(v any) bool {
	t := reflect.TypeOf(v)
	if t.Kind() != reflect.Slice || reflect.ValueOf(v).Len() == 0 || hasText(t) {
		return false
	}
	elem := t.Elem()
	if elem.Kind() == reflect.Pointer {
		elem = elem.Elem()
	}
	if elem.Kind() != reflect.Struct || hasText(elem) || elem.NumField() == 0 || elem.NumField() > 20 {
		return false
	}
	return exported(elem) == elem.NumField()
}

func countColumns(head []string, rows [][]cell) int {
	w := len(head)
	for _, row := range rows {
		w = max(w, len(row))
	}
	return w
}

func (t Table) text(head []string, rows [][]cell, right []bool, more string) string {
	const widest = 40 // of a column
	var lines [][]string
	if len(head) > 0 {
		lines = append(lines, slices.Clone(head))
	}
	gap := -1
	for _, row := range rows {
		if row == nil {
			gap = len(lines)
		}
		line := make([]string, len(row))
		for c := range row {
			line[c] = row[c].text
		}
		lines = append(lines, line)
	}
	widths := make([]int, len(right))
	for _, line := range lines {
		for c := range line {
			line[c] = oneLine(line[c], widest)
			widths[c] = max(widths[c], width(line[c]))
		}
	}
	var b strings.Builder
	if t.Title != "" {
		b.WriteString(t.Title + "\n")
	}
	for i, line := range lines {
		if i == gap {
			b.WriteString(more + "\n")
			continue
		}
		var out string
		for c, s := range line {
			pad := strings.Repeat(" ", widths[c]-width(s))
			if right[c] {
				out += pad + s + "  "
			} else {
				out += s + pad + "  "
			}
		}
		b.WriteString(strings.TrimRight(out, " ") + "\n")
	}
	if gap < 0 {
		b.WriteString(more)
	}
	return strings.TrimRight(b.String(), "\n")
}

// oneLine shows s in at most n characters without line breaks.
func oneLine(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// Tables of more columns need all the room that line breaks make.
const maxWhole = 9

// isWhole reports whether a column has texts with places for a line break, as 1e-08 and
// [64 3 32 32] have, and all are so short that there need be none.
func isWhole(rows [][]cell, c int, number bool) bool {
	const short = 16
	breaks := false
	for _, row := range rows {
		if c >= len(row) {
			continue
		}
		if !number && width(row[c].text) > short {
			return false
		}
		breaks = breaks || strings.ContainsAny(row[c].text, " -")
	}
	return breaks
}

// breakable is a text as HTML that marks where a line may break in its long words, such as
// layer1.0.bn1.num_batches_tracked, which would make a table wider than a narrow page. JupyterLab's
// sanitiser lets the marks pass, and no style that says as much.
func breakable(text string) string {
	const (
		long  = 12
		piece = 24 // of a word without a better place
	)
	var b strings.Builder
	for i, word := range strings.Split(text, " ") {
		if i > 0 {
			b.WriteByte(' ')
		}
		if width(word) <= long {
			b.WriteString(Escape(word))
			continue
		}
		letters := []rune(word)
		from := 0
		for at, r := range letters {
			if end := at + 1; end < len(letters) && (strings.ContainsRune("._/", r) || end-from == piece) {
				b.WriteString(Escape(string(letters[from:end])) + "<wbr>")
				from = end
			}
		}
		b.WriteString(Escape(string(letters[from:])))
	}
	return b.String()
}

func (t Table) html(head []string, rows [][]cell, right []bool, more string) string {
	side := make([]string, len(right))
	align := func(c int) string { return ` style="` + side[c] + `"` }
	whole := make([]bool, len(right)) // columns whose texts a narrow page does not break into lines
	for c := range right {
		side[c] = "text-align:left"
		if right[c] {
			side[c] = "text-align:right"
		}
		whole[c] = len(right) <= maxWhole && isWhole(rows, c, right[c])
	}
	var b strings.Builder
	b.WriteString("<table>")
	if t.Title != "" {
		b.WriteString("<caption>" + Escape(t.Title) + "</caption>")
	}
	if len(head) > 0 {
		b.WriteString("<thead><tr>")
		for c, name := range head {
			b.WriteString("<th" + align(c) + ">" + Escape(name) + "</th>")
		}
		b.WriteString("</tr></thead>")
	}
	b.WriteString("<tbody>")
	for _, row := range rows {
		if row == nil {
			fmt.Fprintf(&b, `<tr><td colspan="%d" style="text-align:left">%s</td></tr>`, len(right), more)
			more = ""
			continue
		}
		b.WriteString("<tr>")
		for c, cell := range row {
			style, text := side[c], breakable(cell.text)
			if whole[c] {
				style, text = style+";white-space:nowrap", Escape(cell.text)
			}
			b.WriteString(`<td style="` + style + `">` + text + "</td>")
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</tbody></table>")
	if more != "" {
		b.WriteString("<div>" + more + "</div>")
	}
	return b.String()
}
