package pth

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/near"
	"github.com/holt-dl/holt/internal/pickle"
)

// A checkpoint is a dictionary that holds a state dict somewhere, beside the
// optimizer's state, numbers, and tensors such as the best accuracy. choose
// lists every dictionary of tensors that may be the weights, ranks them, and
// takes the first if it is the only one of its rank.

// places are keys under which checkpoints hold weights.
var places = []string{
	"model", "state_dict", "model_state_dict", "model_state", "modelstate", "net", "network", "weights", "params", "params_ema", "param", "parameters",
	"ema", "ema_state_dict", "model_ema", "ema_model", "module", "generator", "student", "teacher", "encoder", "decoder", "backbone", "state", "net_state_dict", "model_weights",
}

// others are parts of keys under which checkpoints hold tensors that are no
// weights.
var others = []string{"optim", "sched", "scaler", "rng", "random", "callback", "loops", "hparam", "hyper", "config", "history", "criterion"}

// parameters are names of parameters that a single layer has; buffers are those
// of its buffers, which other things have too, such as a reward's running mean.
var (
	parameters = []string{"weight", "bias", "weight_g", "weight_v", "in_proj_weight", "in_proj_bias"}
	buffers    = []string{"running_mean", "running_var", "num_batches_tracked"}
)

// isParameter reports whether a tensor's name ends as one of a layer's.
func isParameter(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return slices.Contains(parameters, last) || strings.HasPrefix(last, "weight_") || strings.HasPrefix(last, "bias_") ||
		last != name && slices.Contains(buffers, last)
}

// The ranks of what may be the weights, the last first.
const (
	loose   = iota // tensors at the top level, under names of no parameter
	unknown        // a dictionary of such tensors
	placed         // one under a key of places
	named          // a dictionary with names of parameters
)

// candidate is a dictionary of tensors that may be the weights.
type candidate struct {
	key     string
	tensors map[string]any // *tensor or *unreadable
	rank    int
}

// maxDepth is how deep weights may be in a checkpoint.
const maxDepth = 8

// choose finds the named tensors in what was pickled.
func (f File) choose(top any) (map[string]*tensor, error) {
	at, prefix := top, ""
	if f.Key != "" && f.Key != "." {
		var err error
		if at, err = lookUp(top, "", f.Key); err != nil {
			return nil, err
		}
		prefix = f.Key
	}
	if d, ok := pickle.DictOf(at); ok && f.Key == "." {
		return readableOf(tensorsOf(d))
	}
	var s search
	s.walk(at, prefix, false, 0)
	if len(s.found) == 0 {
		return nothing(at, f.Key)
	}
	best := slices.MaxFunc(s.found, func(a, b candidate) int { return a.rank - b.rank }).rank
	if best <= unknown { // neither names nor keys tell loose tensors from weights
		best = min(best, s.found[0].rank)
	}
	rest := slices.DeleteFunc(s.found, func(c candidate) bool { return c.rank < best })
	rest = distinct(rest)
	if f.Key != "" && rest[0].key == prefix { // what the key says comes before what is inside
		rest = rest[:1]
	}
	if len(rest) > 1 {
		return nil, several(f.Path, rest)
	}
	if rest[0].rank == loose && s.model != nil {
		return nil, wholeModel(s.model)
	}
	return readableOf(rest[0].tensors)
}

// search lists candidates, the top level's first.
type search struct {
	found []candidate
	model *object // a whole model, which is none
	seen  map[any]bool
}

// walk looks for dictionaries of tensors in v, which the file holds at key.
func (s *search) walk(v any, key string, known bool, depth int) {
	if depth > maxDepth || !s.first(v) {
		return
	}
	if o, ok := v.(*object); ok && isModel(o) {
		s.model = o
		return
	}
	if d, ok := pickle.DictOf(v); ok {
		if d.Get("param_groups") != nil && d.Get("state") != nil { // an optimizer's
			return
		}
		if own := tensorsOf(d); len(own) > 0 {
			c := candidate{key: key, tensors: own}
			for name := range own {
				if isParameter(name) || depth > 0 && strings.Contains(name, ".") {
					c.rank = named
				}
			}
			switch {
			case c.rank == named:
			case known:
				c.rank = placed
			case depth > 0:
				c.rank = unknown
			}
			s.found = append(s.found, c)
		}
		for _, item := range d.Items {
			part, ok := pickle.KeyText(item[0])
			lower := strings.ToLower(part)
			if ok && !strings.HasSuffix(part, "_extra_state") && !slices.ContainsFunc(others, func(o string) bool { return strings.Contains(lower, o) }) {
				s.walk(item[1], joined(key, part), known || slices.Contains(places, lower), depth+1)
			}
		}
		return
	}
	for i, item := range itemsOf(v) {
		s.walk(item, joined(key, fmt.Sprint(i)), known, depth+1)
	}
}

// joined writes a key below another.
func joined(key, part string) string { return strings.TrimPrefix(key+"."+part, ".") }

// first reports whether a value that holds others is met for the first time: a
// pickle may hold one many times, and itself.
func (s *search) first(v any) bool {
	var place any
	switch v := v.(type) {
	case *dict, *list, *object:
		place = v
	case tuple:
		if len(v) == 0 {
			return false
		}
		place = &v[0]
	default:
		return false
	}
	if s.seen[place] {
		return false
	}
	if s.seen == nil {
		s.seen = map[any]bool{}
	}
	s.seen[place] = true
	return true
}

func itemsOf(v any) []any {
	switch v := v.(type) {
	case *list:
		return v.Items
	case tuple:
		return v
	case *object:
		return v.List.Items
	}
	return nil
}

// tensorsOf returns the items of a dictionary that are tensors with a name.
func tensorsOf(d *dict) map[string]any {
	own := map[string]any{}
	for _, item := range d.Items {
		name, ok := item[0].(string)
		if !ok {
			continue
		}
		delete(own, name) // of two items with a name, the last counts
		switch item[1].(type) {
		case *tensor, *unreadable:
			own[name] = item[1]
		}
	}
	return own
}

// distinct leaves out what has the same tensors as one before. Of many it looks
// only at neighbours.
func distinct(all []candidate) []candidate {
	if len(all) > 16 {
		return slices.CompactFunc(all, same)
	}
	var kept []candidate
	for _, c := range all {
		if !slices.ContainsFunc(kept, func(k candidate) bool { return same(k, c) }) {
			kept = append(kept, c)
		}
	}
	return kept
}

// same reports whether two candidates have the same tensors.
func same(a, b candidate) bool {
	if len(a.tensors) != len(b.tensors) {
		return false
	}
	for name, x := range a.tensors {
		t, ok := x.(*tensor)
		u, too := b.tensors[name].(*tensor)
		if !ok || !too || t.storage != u.storage || t.kind.name != u.kind.name || t.offset != u.offset || t.neg != u.neg ||
			!slices.Equal(t.size, u.size) || !slices.Equal(t.stride, u.stride) {
			return false
		}
	}
	return true
}

// readableOf returns tensors, if all of them can be read.
func readableOf(own map[string]any) (map[string]*tensor, error) {
	tensors := make(map[string]*tensor, len(own))
	for name, v := range own {
		switch v := v.(type) {
		case *tensor:
			tensors[name] = v
		case *unreadable:
			return nil, fmt.Errorf("tensor %.100q: %s: %w; %s", name, v.what, ErrRefused, v.try)
		}
	}
	return tensors, nil
}

// lookUp finds what v, which the file holds at the key done, holds at a further
// key. The parts of keys may have dots themselves.
func lookUp(v any, done, key string) (any, error) {
	if key == "" {
		return v, nil
	}
	var keys []string
	d, ok := pickle.DictOf(v)
	if ok {
		for end := len(key); end > 0; end = strings.LastIndexByte(key[:end], '.') { // the longest first
			for _, item := range slices.Backward(d.Items) {
				if name, ok := pickle.KeyText(item[0]); ok && name == key[:end] {
					return lookUp(item[1], joined(done, name), strings.TrimPrefix(key[end:], "."))
				}
			}
		}
		for _, item := range d.Items {
			if name, ok := pickle.KeyText(item[0]); ok {
				keys = append(keys, name)
			}
		}
	} else {
		part, rest, _ := strings.Cut(key, ".")
		for i, item := range itemsOf(v) {
			name := fmt.Sprint(i)
			if name == part {
				return lookUp(item, joined(done, name), rest)
			}
			keys = append(keys, name)
		}
	}
	part, _, _ := strings.Cut(key, ".")
	whole := joined(done, key)
	if len(keys) == 0 {
		return nil, fmt.Errorf("it has no key %.100q: at %.100q it holds %s, want a dictionary; leave out the end of the Key", whole, cmp.Or(done, "."), kindOf(v))
	}
	try := ""
	if n := near.To(part, keys); n != "" {
		try = fmt.Sprintf("; did you mean %q?", n)
	}
	return nil, fmt.Errorf("it has no key %.100q, want one of %s%s", whole, listed(keys), try)
}

// listed writes names for a message, the first few of them.
func listed(names []string) string {
	const most = 8
	short := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		short = append(short, fmt.Sprintf("%.40s", n))
	}
	text := strings.Join(short, ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// several is the error for more than one set of weights.
func several(path string, all []candidate) error {
	const most = 4
	var sets []string
	for _, c := range all[:min(len(all), most)] {
		where := fmt.Sprintf("%.60q", c.key)
		if c.key == "" {
			where = `the top level, "."` // as File.Key has it
		}
		tensors := "tensors"
		if len(c.tensors) == 1 {
			tensors = "tensor"
		}
		sets = append(sets, fmt.Sprintf("%s (%d %s)", where, len(c.tensors), tensors))
	}
	text := strings.Join(sets[:len(sets)-1], ", ") + " and " + sets[len(sets)-1]
	if more := len(all) - most; more > 0 {
		text = fmt.Sprintf("%s and %d more", strings.Join(sets, ", "), more)
	}
	key := cmp.Or(all[0].key, all[1].key)
	return fmt.Errorf("it holds weights in more than one place: %s, want one; say which: pth.File{Path: %q, Key: %q}.StateDict()", text, path, key)
}

// wholeModel is the error for a model that was saved with its code.
func wholeModel(o *object) error {
	return fmt.Errorf("it holds %s, which is Python code: %w; %s", kindOf(o), ErrRefused, saveWeights)
}

// nothing is the answer where no tensor was found: an empty state dict is one.
func nothing(v any, key string) (map[string]*tensor, error) {
	const wanted = "want a dictionary of tensors: torch.save(model.state_dict(), path)"
	it := "it holds"
	if key != "" {
		it = fmt.Sprintf("under %.100q it holds", key)
	}
	if o, ok := v.(*object); ok && !isModel(o) && len(o.Dict.Items) == 0 {
		return nil, fmt.Errorf("%s %s: %w; %s", it, kindOf(v), ErrRefused, saveWeights)
	}
	d, ok := pickle.DictOf(v)
	if o, isObject := v.(*object); isObject && isModel(o) {
		return nil, wholeModel(o)
	}
	if !ok {
		return nil, fmt.Errorf("%s %s, %s", it, kindOf(v), wanted)
	}
	if len(d.Items) == 0 {
		return map[string]*tensor{}, nil
	}
	var keys []string
	numbered := 0
	for _, item := range d.Items {
		if o, ok := item[1].(*object); ok && isModel(o) {
			name, _ := pickle.KeyText(item[0])
			return nil, fmt.Errorf("under %.100q %w", name, wholeModel(o))
		}
		name, ok := pickle.KeyText(item[0])
		if _, isText := item[0].(string); !isText {
			numbered++
		}
		if ok {
			keys = append(keys, name)
		}
	}
	switch {
	case len(keys) == 0:
		return nil, fmt.Errorf("%s a dictionary whose keys are no texts, want names of tensors such as \"0.weight\": torch.save(model.state_dict(), path)", it)
	case numbered == len(d.Items):
		return nil, fmt.Errorf("%s a dictionary whose keys are the numbers %s, want names of tensors such as \"0.weight\": torch.save(model.state_dict(), path)", it, listed(keys))
	}
	return nil, fmt.Errorf("%s %s and no tensors, %s", it, listed(keys), wanted)
}
