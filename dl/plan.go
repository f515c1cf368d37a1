package dl

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/internal/xla"
	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/thousands"
)

// Plan is what programs would need of a GPU that need not be there: XLA compiles them for
// it, on this machine.
type Plan struct {
	GPU    string // such as NVIDIA H100 80GB HBM3
	Memory Bytes  // that it has, by NVIDIA's data sheet
	Usable Bytes  // what programs may take of it: [CUDA]'s MemoryFraction, or XLA's own
	Hosts  int    // that the GPUs are in
	Lines  []PlanLine
	Note   string // what is not planned, or does not run yet, and why; empty where there is none of it
}

// PlanLine is what one program would need of each GPU that it runs on.
type PlanLine struct {
	Name  string // such as training step, prediction or compiled function
	Batch int    // rows of the process's part, where several share a batch

	// Peak is the memory that it takes: its inputs, the weights among them, its results,
	// and what it calculates with. A training step has the weights and what the
	// optimizer keeps twice, before and after. What cuDNN takes for a convolution is
	// chosen on the GPU, and not in it.
	Peak Bytes
	Fits bool // Peak is at most what is usable

	// FLOPs are the floating-point operations of products of matrices and of
	// convolutions, two for each pair of numbers, on all GPUs together. Where Loops is
	// set, those in a loop count once, however often it runs.
	FLOPs float64
	Loops bool

	// LargestBatch is the largest batch that was found to fit, by compiling the program
	// for it; 0 where none does, or none was looked for.
	LargestBatch int

	// Collectives are what several GPUs do together in one run of the program.
	Collectives []Collective
}

// Collective is what the GPUs of a program do together, such as all-reduce: all calls of it.
type Collective struct {
	Name  string // of XLA's operation
	Calls int    // those in a loop count once
	// Bytes are those of the arrays on one GPU, before or after the operation, whichever is more.
	Bytes Bytes
	// BetweenHosts is set where GPUs of several hosts take part.
	BetweenHosts bool
}

// Plan says what the model would need of a GPU, such as "h100", for a prediction and a
// training step with [Adam], of the batch that it was built with: memory, operations, and
// the largest batch for training. The loss is that of its last training, or
// [CrossEntropyLoss]; [Step.Plan] plans a training of one's own.
//
//	model.Plan("h100", dl.Options{Devices: 8, Shard: dl.FSDP, Precision: dl.BFloat16})
//
// plans for eight of them, as they are after a training step with these options: what is said is of
// each of them. Without options it is one. A host has eight GPUs, or as many as "h100:4" says; more
// Devices are those of several hosts, for which XLA makes one program. Such a program is planned
// and does not run yet: a training over hosts has Devices [All], and a program for each process.
//
// It takes no GPU, and some seconds for each of about five programs: XLA's compiler for
// CUDA has to be installed, once, by holt backend install cuda-compiler. Without it, and
// for a GPU that is not known, the error says so; it lists the names that are.
func (m *Model) Plan(gpu string, options ...Options) (Plan, error) {
	if len(options) > 1 {
		return Plan{}, fmt.Errorf("dl: Plan: got %d options, want one dl.Options or none", len(options))
	}
	arranged := &Step{model: m}
	if len(options) > 0 {
		arranged.options = options[0]
	}
	if err := arranged.options.check(); err != nil {
		return Plan{}, during("Plan", err)
	}
	on, err := xla.Planned(gpu)
	if err != nil {
		return Plan{}, during("Plan", err)
	}
	var inputs []*Tensor
	for _, s := range m.inputs {
		inputs = append(inputs, blank(s.dtype, s.shape))
	}
	var output *Tensor
	arrange := func(r *recording) (err error) {
		if r.share, err = arranged.groupOn(on); err == nil {
			_, _, err = arranged.layouts(r)
		}
		return err
	}
	text, err := plannedText(m.applyWith(xla.Context(), "prediction", on, inputs, arrange, func(r *recording, xs []*Tensor) []*Tensor {
		output = m.call(r, xs...)
		return []*Tensor{output}
	}))
	if err != nil {
		return Plan{}, during("Plan", err)
	}
	p, err := planFor(gpu, arranged.options.localDevices(on), plannedProgram{name: "prediction", batch: m.input[0], text: text})
	if err != nil {
		return Plan{}, during("Plan", err)
	}
	step, batch, err := m.stepToPlan(output)
	if err == nil {
		var training Plan
		if training, err = step.With(arranged.options).Plan(gpu, batch); err == nil {
			p.Lines, p.Note = append(p.Lines, training.Lines...), training.Note
		} else if errors.Is(err, context.Canceled) {
			return Plan{}, err
		}
	}
	if err != nil {
		p.Note = fmt.Sprintf("a training step is not planned (%s); TrainStep(…).Plan(%q, batch) plans one of your own", strings.TrimPrefix(err.Error(), "dl: "), gpu)
	}
	return p, nil
}

// stepToPlan returns a training step and a batch for it without values, whose labels have the
// shape that the loss wants for such an output.
func (m *Model) stepToPlan(output *Tensor) (*Step, Batch, error) {
	if len(m.inputs) != 1 {
		return nil, Batch{}, fmt.Errorf("the model has %d inputs", len(m.inputs))
	}
	var loss Loss = CrossEntropyLoss{}
	if l := m.loss.Load(); l != nil {
		loss = *l
	}
	labels := blank(Float32, output.shape)
	if _, classes := loss.(ignorer); classes && len(output.shape) >= 2 {
		labels = blank(Int64, append(Shape{output.shape[0]}, output.shape[2:]...))
	}
	step := &Step{model: m, loss: loss, seed: nextSeed(), kept: map[string][]*Tensor{}}
	if err := step.prepare(Adam{}); err != nil {
		return nil, Batch{}, err
	}
	return step, Batch{Inputs: blank(m.inputs[0].dtype, m.inputs[0].shape), Labels: labels}, nil
}

// Plan says what the step would need of a GPU, such as "h100", for a batch like this one,
// and what the largest batch is that fits. Nothing runs: the step and its model stay as
// they are, and the values of the batch are not read. With Options{Devices: n}, each
// of n GPUs has a part of the batch, and of what Options.Shard says. With Devices [All] the
// plan is that of this process: of its part of the batch, on the GPUs that it has, or on as many as
// "h100:8" says, or else on one. A step of several programs, with Accumulate or in a job of several
// processes, has a line for each: the gradients of a batch, and the update of the weights. See
// [Model.Plan].
func (s *Step) Plan(gpu string, batch Batch) (Plan, error) {
	p, err := s.plan(gpu, batch)
	if err != nil {
		return Plan{}, during("Plan", err)
	}
	return p, nil
}

func (s *Step) plan(gpu string, batch Batch) (Plan, error) {
	rows, err := batch.rows()
	if err != nil {
		return Plan{}, err
	}
	if s.options.Devices == All {
		j := thisJob()
		if j.wrong != nil {
			return Plan{}, j.wrong
		}
		rows = (rows + j.world.Size - 1) / j.world.Size
	}
	p, devices, err := s.planBatch(gpu, batch, rows)
	if err != nil {
		return Plan{}, err
	}
	line := &p.Lines[0]
	line.LargestBatch, err = largestBatch(*line, p.Usable, s.options.batchParts(devices), func(rows int) (PlanLine, error) {
		programs, _, err := s.planned(gpu, batch, rows)
		if err != nil {
			return PlanLine{}, err
		}
		q, err := planFor(gpu, devices, programs[0])
		if err != nil {
			return PlanLine{}, err
		}
		return q.Lines[0], nil
	})
	return p, err
}

// planBatch plans the step's programs for so many rows of a batch like this one.
func (s *Step) planBatch(gpu string, batch Batch, rows int) (p Plan, devices int, err error) {
	programs, devices, err := s.planned(gpu, batch, rows)
	if err != nil {
		return Plan{}, 0, err
	}
	for _, program := range programs {
		q, err := planFor(gpu, devices, program)
		if err != nil {
			return Plan{}, 0, err
		}
		q.Lines = append(p.Lines, q.Lines...)
		p = q
	}
	if s.options.Devices == All && gpusHere(gpu) == 0 {
		p.Note = fmt.Sprintf("this process has no GPU, and one is planned for; %s:8 plans for eight, and Options{Devices: n} for n", gpu)
	}
	return p, devices, nil
}

// planned returns the step's programs for so many rows of a batch like this one, and on how
// many devices they run.
func (s *Step) planned(gpu string, batch Batch, rows int) (programs []plannedProgram, devices int, err error) {
	if err := s.wrong(); err != nil {
		return nil, 0, err
	}
	on, err := xla.Planned(gpu)
	if err != nil {
		return nil, 0, err
	}
	size := s.options.padded(rows, on)
	devices = s.options.localDevices(on)
	s.mu.Lock()
	trial := &Step{model: s.model, loss: s.loss, groups: s.groups, rule: s.rule, options: s.options, seed: s.seed,
		rates: slices.Clone(s.rates), momenta: slices.Clone(s.momenta), kept: maps.Clone(s.kept), inPieces: maps.Clone(s.inPieces)}
	s.mu.Unlock()
	ctx := xla.Context()
	batch = batch.blank(size)
	if s.options.Accumulate <= 1 && (s.options.Devices != All || thisJob().world.Size == 1) {
		_, err := trial.attempt(ctx, ctx, on, batch, size, size, trial.whole)
		text, err := plannedText(nil, err)
		return []plannedProgram{{name: "training step", batch: size, text: text}}, devices, err
	}
	_, err = trial.attempt(ctx, ctx, on, batch, size, size, trial.gather)
	gradients, err := plannedText(nil, err)
	if err != nil {
		return nil, 0, err
	}
	update, err := plannedText(nil, trial.applyOn(ctx, ctx, on))
	if err != nil {
		return nil, 0, err
	}
	beside, err := trial.slotBytes(on)
	return []plannedProgram{
		{name: "gradients of a batch", batch: size, text: gradients, beside: beside},
		{name: "update of the weights", batch: size, text: update},
	}, devices, err
}

// slotBytes is what each device holds of what the optimizer keeps.
func (s *Step) slotBytes(on *xla.Device) (int64, error) {
	trained, err := s.learners()
	if err != nil {
		return 0, err
	}
	r := newRecording("plan", on)
	defer r.close()
	if r.share, err = s.groupOn(on); err != nil {
		return 0, err
	}
	slots, _, err := s.layouts(r)
	if err != nil {
		return 0, err
	}
	p, err := s.piecesOn(on)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, l := range trained {
		sp := s.model.specs[l.at]
		size := r.share.PartSize(slots[l.at], sp.shape)
		if p.of(sp, s.groups[l.group].rule) {
			size = p.size(size)
		}
		n += len(s.slotsOf(l)) * size
	}
	return int64(n) * int64(Float32.Size()), nil
}

// blank returns a tensor that has a shape and no values, for what is recorded and never run.
func blank(dtype DType, shape Shape) *Tensor { return hostTensor(dtype, slices.Clone(shape), nil) }

// blank returns a batch of so many rows without values.
func (b Batch) blank(rows int) Batch {
	of := func(t *Tensor) *Tensor { return blank(t.dtype, append(Shape{rows}, t.shape[1:]...)) }
	return Batch{Inputs: of(b.Inputs), Labels: of(b.Labels)}
}

// notRun is the error of a program that is compiled for a GPU that is not there.
type notRun struct{ program *xla.Program }

func (notRun) Error() string { return "dl: the program is planned and does not run" }

// plannedText returns the text of a program that did not run.
func plannedText(_ []*Tensor, err error) ([]byte, error) {
	var planned notRun
	if !errors.As(err, &planned) {
		return nil, err
	}
	return planned.program.Text(), nil
}

// plannedProgram is a program in StableHLO, for a batch.
type plannedProgram struct {
	name   string
	batch  int
	text   []byte
	beside int64 // bytes on each device that stay there and are not among its inputs
}

// planFor compiles a program for so many GPUs.
func planFor(gpu string, devices int, program plannedProgram) (Plan, error) {
	compile := hooks.Get().CompileAhead
	if compile == nil {
		return Plan{}, errors.New("programs for a GPU cannot be compiled by this program")
	}
	var c hooks.Compiled
	kind, err := compile(xla.Context(), gpu, devices, [][]byte{program.text}, func(_ int, found hooks.Compiled) { c = found })
	if err == nil && c.Err != nil {
		err = fmt.Errorf("%s of batch %d does not compile for %s: %w", program.name, program.batch, kind.Name, c.Err)
	}
	if err != nil {
		return Plan{}, err
	}
	p := Plan{GPU: kind.Product, Memory: Bytes(kind.Memory), Usable: Bytes(float64(kind.Memory) * xla.MemoryFraction())}
	peak := Bytes(c.Memory + program.beside)
	line := PlanLine{Name: program.name, Batch: program.batch, Peak: peak, Fits: peak <= p.Usable, FLOPs: c.FLOPs, Loops: c.Loops}
	for _, k := range c.Collectives {
		line.Collectives = append(line.Collectives, Collective{k.Name, k.Calls, Bytes(k.Bytes), k.Hosts})
	}
	p.Lines, p.Hosts = []PlanLine{line}, kind.Hosts
	if p.Hosts > 1 {
		p.Note = fmt.Sprintf("one program for the GPUs of %d hosts is planned, and does not run yet; a training over hosts has Options{Devices: dl.All}, and a program for each of its processes", p.Hosts)
	}
	return p, nil
}

const (
	mostTrials = 5       // programs that are compiled to find the largest batch
	mostBatch  = 1 << 20 // beyond which none is looked for
	nearlyFull = 0.95    // of what is usable, where no larger batch is looked for
)

// largestBatch looks for the largest batch that fits. Memory grows almost evenly with the
// batch, so that two programs tell where to look, and each further one comes closer. A
// program that does not compile counts as one that does not fit.
func largestBatch(first PlanLine, usable Bytes, step int, plan func(rows int) (PlanLine, error)) (int, error) {
	fits, tooMany := 0, mostBatch+1 // the largest that is known to fit, and the smallest that is known not to
	next := 4 * first.Batch
	if first.Fits {
		fits = first.Batch
	} else {
		tooMany, next = first.Batch, first.Batch/4
	}
	before := first
	for range mostTrials {
		next = max(step, min(next, mostBatch)/step*step)
		if next <= fits || next >= tooMany {
			break
		}
		line, err := plan(next)
		if errors.Is(err, context.Canceled) {
			return 0, err
		}
		if err != nil {
			tooMany, next = next, (fits+next)/2
			continue
		}
		if !line.Fits {
			tooMany = next
		} else if fits = next; float64(line.Peak) >= nearlyFull*float64(usable) {
			break
		}
		each := float64(line.Peak-before.Peak) / float64(line.Batch-before.Batch)
		if each <= 0 {
			break
		}
		// Halfway into what would be enough.
		room := (1+nearlyFull)/2*float64(usable) - float64(line.Peak)
		next, before = line.Batch+int(room/each), line
		if next >= 64 { // round numbers suit the hardware
			next = next / 16 * 16
		}
	}
	return fits, nil
}

// String lays the plan out as text.
func (p Plan) String() string {
	head, rows := p.Table()
	text := tableText(head, rows, 0)
	if p.Note != "" {
		text += "\n" + p.Note
	}
	return text
}

// Table is the plan for a notebook: a row for each program. What several GPUs do together is in a
// last column.
func (p Plan) Table() (head []string, rows [][]any) {
	head = []string{p.GPU, "batch", "memory", fmt.Sprintf("fits into %v", p.Usable), "operations", "largest batch"}
	together := slices.ContainsFunc(p.Lines, func(l PlanLine) bool { return len(l.Collectives) > 0 })
	if together {
		head = append(head, "collectives")
	}
	for _, l := range p.Lines {
		fits, flops, largest := "no", engineering(l.FLOPs)+"FLOP", ""
		if l.Fits {
			fits = "yes"
		}
		if l.Loops {
			flops = "at least " + flops
		}
		if l.LargestBatch > 0 {
			largest = thousands.Text(l.LargestBatch)
		}
		row := []any{l.Name, thousands.Text(l.Batch), l.Peak.String(), fits, flops, largest}
		if together {
			var words []string
			for _, c := range l.Collectives {
				words = append(words, c.String())
			}
			row = append(row, strings.Join(words, ", "))
		}
		rows = append(rows, row)
	}
	return head, rows
}

// String is such as "all-reduce ×2 of 1.5 MiB between hosts".
func (c Collective) String() string {
	text := fmt.Sprintf("%s ×%d of %v", c.Name, c.Calls, c.Bytes)
	if c.BetweenHosts {
		text += " between hosts"
	}
	return text
}

// engineering writes a number with a prefix of the SI, such as "12.3 G".
func engineering(v float64) string {
	prefixes := []string{"", "k", "M", "G", "T", "P"}
	i := 0
	for v >= 1000 && i < len(prefixes)-1 {
		v, i = v/1000, i+1
	}
	return fmt.Sprintf("%.3g %s", v, prefixes[i])
}
