package dl

import (
	"context"
	"fmt"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Diagnosis is what [Doctor] found: a table, in text and in a notebook.
type Diagnosis struct {
	Findings []Finding
}

// Finding is a line of a [Diagnosis].
type Finding struct {
	Check string // what was looked at, such as "inputs"
	Found string // what there is
	Wrong string // what is wrong with it; empty where nothing is
	Try   string // one thing to try; empty where nothing is wrong
}

// Healthy reports whether nothing is wrong.
func (d *Diagnosis) Healthy() bool { return len(d.Problems()) == 0 }

// Problems returns the findings that say what is wrong.
func (d *Diagnosis) Problems() []Finding {
	var bad []Finding
	for _, f := range d.Findings {
		if f.Wrong != "" {
			bad = append(bad, f)
		}
	}
	return bad
}

func (d *Diagnosis) add(check, found, wrong, try string) {
	d.Findings = append(d.Findings, Finding{check, found, wrong, try})
}

// String lays the findings out as a table; "!!" marks what is wrong.
func (d *Diagnosis) String() string {
	head, rows := d.Table()
	return tableText(head, rows, 0)
}

// Table is the findings for a notebook; "!!" marks what is wrong.
func (d *Diagnosis) Table() (head []string, rows [][]any) {
	for _, f := range d.Findings {
		mark := "ok"
		if f.Wrong != "" {
			mark = "!!"
		}
		rows = append(rows, []any{mark, f.Check, f.Found, f.Wrong, f.Try})
	}
	return []string{"", "check", "found", "wrong", "try"}, rows
}

// Doctor looks at the first batches of the data, and at what the model makes
// of them, for the mistakes that keep a network from learning: inputs that are
// not finite or not scaled, labels that are no classes or all the same, a
// first loss far above ln(classes), ReLUs that are always 0, gradients that
// vanish or explode, and a single batch that cannot be learnt by heart.
//
// A nil loss means [CrossEntropyLoss]. The model stays as it is:
// what trains is a copy. With wrong inputs or labels, what depends on them is
// left out. The cell's interrupt ends it.
func Doctor(model *Model, data Source, loss Loss) (*Diagnosis, error) {
	if model == nil {
		return nil, fmt.Errorf("dl: Doctor: the model is nil, want one that dl.Build made")
	}
	batches, err := batchesOf(data)
	if err != nil {
		return nil, during("Doctor", err)
	}
	p := &examination{Diagnosis: &Diagnosis{}, model: model.clone(), loss: CrossEntropyLoss{}}
	if loss != nil {
		p.loss = loss
	}
	for batch, err := range from(batches, 0, 0) {
		if err != nil {
			return nil, during("Doctor", err)
		}
		_, err := batch.rows()
		if err == nil {
			err = errPart(batch)
		}
		if err != nil {
			return nil, during("Doctor", err)
		}
		if p.batches = append(p.batches, batch); len(p.batches) == doctorBatches {
			break
		}
	}
	if len(p.batches) == 0 {
		return nil, fmt.Errorf("dl: Doctor: the data has no batches; check its folder, or DropLast of the loader")
	}
	if err := p.examine(xla.Context()); err != nil {
		return nil, during("Doctor", err)
	}
	return p.Diagnosis, nil
}

// doctorBatches is how many batches are looked at.
const doctorBatches = 4

// examination is a model under examination.
type examination struct {
	*Diagnosis
	model   *Model // a copy
	loss    Loss
	batches given
}

func (p *examination) examine(ctx context.Context) error {
	inputs := p.inputs()
	labels, err := p.labels()
	if err != nil {
		return err
	}
	if !inputs || !labels {
		p.add("the rest", "not looked at", "", "")
		return nil
	}
	for _, look := range []func(context.Context) error{p.first, p.relus, p.gradients, p.overfits} {
		if err := look(ctx); err != nil {
			return err
		}
	}
	return nil
}
