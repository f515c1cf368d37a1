package dl

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/holt-dl/holt/internal/thousands"
)

// python writes a bool as Python does.
func python(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// count is a number for a table, which aligns texts of digits alone to the left: they may
// be names.
func count(n int) any {
	if n < 1000 {
		return n
	}
	return thousands.Text(n)
}

// tuple writes a shape as Python does.
func tuple(s Shape) string {
	if len(s) == 1 {
		return fmt.Sprintf("(%d,)", s[0])
	}
	text := "("
	for i, n := range s {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(n)
	}
	return text + ")"
}

// tableText lays out a table: a line for the head, unless that is nil, and one for each row,
// two blanks between the columns and none at the ends of lines. Columns are flush left, but the
// last right ones, of numbers, which are flush right.
func tableText(head []string, rows [][]any, right int) string {
	lines := make([][]string, 0, len(rows)+1)
	if head != nil {
		lines = append(lines, head)
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = fmt.Sprint(cell)
		}
		lines = append(lines, cells)
	}
	var wide []int
	for _, cells := range lines {
		for i, cell := range cells {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], utf8.RuneCountInString(cell))
		}
	}
	texts := make([]string, len(lines))
	for n, cells := range lines {
		var b strings.Builder
		for i, cell := range cells {
			width := -wide[i] // flush left
			if i >= len(wide)-right {
				width = wide[i]
			}
			fmt.Fprintf(&b, "%*s  ", width, cell)
		}
		texts[n] = strings.TrimRight(b.String(), " ")
	}
	return strings.Join(texts, "\n")
}
