package dl

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Sharding, as Options.Shard, says of what each device of a step keeps a part, where otherwise it
// has all. Tensors are cut along their first axis that the number of devices divides, which is
// Shard(0) of torch.distributed.tensor for most; where there is none, each device has all of it.
// The results are those of one device but for rounding. Processes of one device each, which a
// launcher has started, divide what the optimizer keeps in the same way, but number by number, and
// whole for an [UpdateRule].
type Sharding int

const (
	// NoShard has all weights, and all that the optimizer keeps, on each device, as
	// torch.nn.parallel.DistributedDataParallel.
	NoShard Sharding = iota
	// ZeRO1 cuts what the optimizer keeps, as torch.distributed.optim.ZeroRedundancyOptimizer.
	ZeRO1
	// FSDP cuts that, the weights, and sums of gradients, as
	// torch.distributed.fsdp.fully_shard: n devices hold an n-th of them each, and a weight is
	// brought together while it is used.
	FSDP
)

// String returns the constant's name.
func (s Sharding) String() string {
	switch s {
	case NoShard:
		return "NoShard"
	case ZeRO1:
		return "ZeRO1"
	case FSDP:
		return "FSDP"
	}
	return fmt.Sprintf("Sharding(%d)", int(s))
}

// Placement says how the devices of Options.TensorParallel divide a layer's weight:
// [Colwise], [Rowwise], or the axis that [Shard] names.
type Placement int

// The placements of torch.distributed.tensor.parallel. Their numbers are none that [Shard] is
// likely to get: Shard(-1) is an error.
const (
	// Colwise divides the outputs of a layer, as ColwiseParallel: the first axis of a weight
	// [Out In …] and of its bias, and the second of the weight [In Out …] of an Embedding or a
	// ConvTranspose2d.
	Colwise Placement = math.MinInt
	// Rowwise divides the inputs, as RowwiseParallel: the second axis of a weight, and the first
	// of an Embedding's or a ConvTranspose2d's. Every device has the bias.
	Rowwise Placement = math.MinInt + 1
)

// Shard divides an axis of a parameter, as torch.distributed.tensor.Shard.
func Shard(axis int) Placement { return Placement(axis) }

// ParallelPlan says how layers are divided, by paths, such as "layers.0.linear1", by names of
// parameters, or by patterns of [path.Match] for either, in which a star also stands for dots.
type ParallelPlan map[string]Placement

// Parallelize says which weights the devices of Options.TensorParallel divide among them, in place
// of what it said before, as torch.distributed.tensor.parallel.parallelize_module:
//
//	err := model.Parallelize(dl.ParallelPlan{
//		"layers.*.linear1": dl.Colwise,
//		"layers.*.linear2": dl.Rowwise,
//	})
//	step := dl.TrainStep(model, nil, dl.Adam{}).With(dl.Options{Devices: 4, TensorParallel: 4})
//
// What the devices send to each other follows from it. A Colwise layer before a Rowwise one
// needs one sum for both. The results are those of one device but for rounding. A pattern that no
// parameter fits, one that names a parameter another way than a second one does, and an axis that
// a parameter has not are errors, which leave the model as it was. An empty plan divides nothing.
func (m *Model) Parallelize(plan ParallelPlan) error {
	axes := map[string]int{}
	by := map[string]string{}
	for _, pattern := range slices.Sorted(maps.Keys(plan)) {
		if err := m.fits("Parallelize", pattern); err != nil {
			return err
		}
		for _, s := range m.specs {
			if !s.trained || !named(pattern, s.name) {
				continue
			}
			axis, err := m.axisOf(s, plan[pattern])
			if err != nil {
				return err
			}
			if old, ok := by[s.name]; ok && axes[s.name] != axis {
				return fmt.Errorf("dl: Parallelize: %s is named by %q and %q, which divide it differently; name it once", s.name, old, pattern)
			}
			axes[s.name], by[s.name] = axis, pattern
		}
	}
	maps.DeleteFunc(axes, func(_ string, axis int) bool { return axis < 0 })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parallel = axes
	return nil
}

// axisOf returns the axis of a parameter that a placement divides, -1 for none.
func (m *Model) axisOf(s spec, p Placement) (int, error) {
	at := strings.LastIndexByte(s.name, '.')
	layer := m.walker.byPath[s.name[:max(at, 0)]]
	bias := strings.HasPrefix(s.name[at+1:], "bias")
	axis := int(p)
	switch {
	case p == Rowwise && bias:
		return -1, nil
	case p == Colwise && bias:
		axis = 0
	case p == Colwise || p == Rowwise:
		if len(s.shape) < 2 {
			return 0, fmt.Errorf("dl: Parallelize: %s is %v, and Colwise and Rowwise divide a weight [Out In …]; use dl.Shard(0), or leave it out", s.name, s.shape)
		}
		axis = 0
		if (p == Rowwise) != (layer != nil && (layer.kind == "Embedding" || layer.kind == "ConvTranspose2d")) {
			axis = 1
		}
	}
	if axis < 0 || axis >= len(s.shape) {
		return 0, fmt.Errorf("dl: Parallelize: the placement of %s is %d, want Colwise, Rowwise, or Shard of an axis of %v", s.name, int(p), s.shape)
	}
	return axis, nil
}

// checkSharding returns an error for options that cannot work together.
func (o Options) checkSharding() error {
	switch n := max(o.Devices, 1); {
	case o.Shard < NoShard || o.Shard > FSDP:
		return fmt.Errorf("dl: Options: Shard is %d, want dl.NoShard, dl.ZeRO1 or dl.FSDP", int(o.Shard))
	case o.TensorParallel < 0:
		return fmt.Errorf("dl: Options: TensorParallel is %d, want nothing negative; 0 means 1", o.TensorParallel)
	case o.Devices != All && n%max(o.TensorParallel, 1) != 0:
		return fmt.Errorf("dl: Options: Devices is %d and TensorParallel %d, want a multiple of it", n, o.TensorParallel)
	}
	return nil
}

// batchParts returns into how many parts so many devices cut a batch.
func (o Options) batchParts(devices int) int { return max(1, devices/max(1, o.TensorParallel)) }

// groupOn returns the devices of this process that do a step; nil for one.
func (s *Step) groupOn(on *xla.Device) (*xla.Group, error) {
	n, model := s.options.localDevices(on), max(s.options.TensorParallel, 1)
	if _, err := s.piecesOn(on); err != nil {
		return nil, err
	}
	if n%model != 0 {
		return nil, fmt.Errorf("Options: TensorParallel is %d, and this process has %d devices, want a number that divides them", model, n)
	}
	if model > 1 && len(s.model.parallelAxes()) == 0 {
		return nil, fmt.Errorf("Options: TensorParallel is %d, and no weight is to be divided; call model.Parallelize first", model)
	}
	return on.Group(n, model)
}

// parallelAxes are the axes that devices divide, by the names of parameters.
func (m *Model) parallelAxes() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.parallel // replaced as a whole
}

// layouts notes in a recording of a step how the devices divide its weights, and returns
// how they divide what the optimizer keeps for each parameter, and the sums of gradients.
func (s *Step) layouts(r *recording) (slots, sums []xla.Layout, err error) {
	slots, sums = make([]xla.Layout, len(s.model.specs)), make([]xla.Layout, len(s.model.specs))
	if r.share == nil {
		return slots, sums, nil
	}
	axes := s.model.parallelAxes()
	r.layouts = map[*Tensor]xla.Layout{}
	for i, sp := range s.model.specs {
		if !sp.trained {
			continue
		}
		model := 1
		letters := slices.Repeat([]byte{xla.Whole}, len(sp.shape))
		if axis, ok := axes[sp.name]; ok && s.options.TensorParallel > 1 {
			model = s.options.TensorParallel
			if axis >= len(sp.shape) || sp.shape[axis]%model != 0 {
				return nil, nil, fmt.Errorf("Options: TensorParallel is %d, and %s is %v, which Parallelize divides along axis %d, want a multiple there", model, sp.name, sp.shape, axis)
			}
			letters[axis] = xla.OnModel
		}
		whole := xla.LayoutOf(letters)
		cut := whole
		if batch := s.options.batchParts(len(r.share.Devices)); batch > 1 {
			for k, n := range sp.shape {
				if letters[k] == xla.Whole && n%batch == 0 {
					letters[k] = xla.OnBatch
					cut = xla.LayoutOf(letters)
					break
				}
			}
		}
		weight := whole
		if s.options.Shard == FSDP {
			weight = cut
		}
		slots[i], sums[i] = weight, weight
		if s.options.Shard == ZeRO1 {
			slots[i] = cut
		}
		if weight != xla.Replicated {
			r.layouts[s.model.vars[i]] = weight
		}
	}
	return slots, sums, nil
}

// inParts has the devices that have the model's weights in parts, since a step has left them so,
// run the recording with those, where they begin with the device that it is for. No device then
// needs room for all weights.
func (r *recording) inParts() {
	if !r.model.parted.Load() {
		return
	}
	for _, v := range r.model.vars {
		values, release := v.values()
		group, layout := values.Parts()
		release()
		if group == nil || group.Devices[0] != r.on || r.share != nil && !r.share.Same(group) {
			continue
		}
		r.share = group
		if r.layouts == nil {
			r.layouts = map[*Tensor]xla.Layout{}
		}
		r.layouts[v] = layout
	}
}

// splits reports whether the devices of a recording each take a part of such inputs, whose first
// axes are the batch. Where they cannot cut it evenly, each computes all of it.
func (r *recording) splits(inputs []*Tensor) bool {
	return r.share != nil && !slices.ContainsFunc(inputs, func(x *Tensor) bool {
		return len(x.shape) == 0 || x.shape[0]%r.share.BatchParts() != 0
	})
}

// layOut notes how devices divide a tensor of a step.
func (r *recording) layOut(t *Tensor, l xla.Layout) {
	if r.layouts != nil && l != xla.Replicated {
		r.layouts[t] = l
	}
}

// layOutSlots notes how devices divide what the optimizer keeps, before a step and after.
func (s *Step) layOutSlots(r *recording, trained []learner, layouts []xla.Layout, before, after []*Tensor) {
	i := 0
	for _, l := range trained {
		for range s.slotsOf(l) {
			r.layOut(before[i], layouts[l.at])
			r.layOut(after[i], layouts[l.at])
			i++
		}
	}
}

// place notes in a program which inputs its devices divide.
func (r *recording) place(p *xla.Program) {
	p.Split, p.Layouts = make([]bool, len(r.inputs)+len(r.numbers)), make([]xla.Layout, len(r.inputs))
	for i, in := range r.inputs {
		p.Split[i], p.Layouts[i] = in.split, r.layouts[in.t]
	}
}
