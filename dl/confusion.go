package dl

import (
	"fmt"
	"html"
	"strings"
	"text/tabwriter"
)

// ConfusionMatrix is the [Metric] that fills [Result.Confusion]. Its value is
// the accuracy.
type ConfusionMatrix struct {
	Classes []string // names for showing; nil means those that the data set has, or numbers
}

// Name returns "confusion accuracy".
func (c ConfusionMatrix) Name() string { return "confusion accuracy" }

// Start returns a [*Confusion] that has counted nothing.
func (c ConfusionMatrix) Start() Meter { return &Confusion{Classes: c.Classes} }

// Confusion counts how many examples of each class were taken for each class.
// The zero value has counted nothing. It is a [Meter].
type Confusion struct {
	Classes []string
	Counts  [][]int // [label][prediction]
}

// Add counts examples: scores [N classes], of which the highest is the
// prediction, and labels [N].
func (c *Confusion) Add(output, labels *Tensor) error {
	scores, wanted, classes, err := classified(output, labels)
	if err != nil {
		return err
	}
	if c.Counts == nil {
		for range classes {
			c.Counts = append(c.Counts, make([]int, classes))
		}
	}
	if len(c.Counts) != classes {
		return fmt.Errorf("output has %d classes, want %d as before", classes, len(c.Counts))
	}
	for i, label := range wanted {
		best := 0
		row := scores[i*classes : (i+1)*classes]
		for k, v := range row {
			if v > row[best] {
				best = k
			}
		}
		c.Counts[label][best]++
	}
	return nil
}

// Value returns the accuracy.
func (c *Confusion) Value() float64 { return c.Accuracy() }

// Accuracy returns the share of the examples that are right.
func (c *Confusion) Accuracy() float64 {
	right, n := 0, 0
	for i, row := range c.Counts {
		right += row[i]
		for _, v := range row {
			n += v
		}
	}
	return float64(right) / float64(n)
}

// class returns a class's numbers: examples that are right, taken for it, and
// of it.
func (c *Confusion) class(k int) (right, taken, there int) {
	for i := range c.Counts {
		taken += c.Counts[i][k]
		there += c.Counts[k][i]
	}
	return c.Counts[k][k], taken, there
}

// Precision returns the average of all classes' precision. Classes that are
// neither among the labels nor the predictions do not count, as in
// scikit-learn.
func (c *Confusion) Precision(a Average) float64 {
	return c.mean(a, func(right, taken, _ int) float64 { return share(right, taken) })
}

// Recall returns the average of all classes' recall, as Precision.
func (c *Confusion) Recall(a Average) float64 {
	return c.mean(a, func(right, _, there int) float64 { return share(right, there) })
}

// F1 returns the average of all classes' F1, as Precision.
func (c *Confusion) F1(a Average) float64 {
	return c.mean(a, func(right, taken, there int) float64 { return share(2*right, taken+there) })
}

// share is a part of a whole, 0 of nothing.
func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func (c *Confusion) mean(a Average, value func(right, taken, there int) float64) float64 {
	if a == "micro" {
		return c.Accuracy() // each example has one label and one prediction
	}
	sum, weights := 0.0, 0.0
	for k := range c.Counts {
		right, taken, there := c.class(k)
		weight := 1.0
		if a == "weighted" {
			weight = float64(there)
		}
		if taken+there > 0 {
			sum, weights = sum+weight*value(right, taken, there), weights+weight
		}
	}
	return sum / weights
}

// name returns what a class is called.
func (c *Confusion) name(k int) string {
	if k < len(c.Classes) {
		return c.Classes[k]
	}
	return fmt.Sprint(k)
}

// String writes the matrix as a table: a row for each label, a column for
// each prediction.
func (c *Confusion) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "label \\ predicted\t")
	for k := range c.Counts {
		fmt.Fprintf(w, "%s\t", c.name(k))
	}
	fmt.Fprintln(w)
	for k, row := range c.Counts {
		fmt.Fprintf(w, "%s\t", c.name(k))
		for _, n := range row {
			fmt.Fprintf(w, "%d\t", n)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}

// HTML writes the matrix as a table whose cells are the darker the greater
// their share of the row.
func (c *Confusion) HTML() string {
	var b strings.Builder
	b.WriteString("<table><thead><tr><th>label \\ predicted</th>")
	for k := range c.Counts {
		fmt.Fprintf(&b, "<th>%s</th>", html.EscapeString(c.name(k)))
	}
	b.WriteString("</tr></thead><tbody>")
	for k, row := range c.Counts {
		_, _, there := c.class(k)
		fmt.Fprintf(&b, "<tr><th>%s</th>", html.EscapeString(c.name(k)))
		for _, n := range row {
			fmt.Fprintf(&b, `<td style="background:rgba(31,119,180,%.2f)">%d</td>`, 0.7*share(n, there), n)
		}
		b.WriteString("</tr>")
	}
	return b.String() + "</tbody></table>"
}
