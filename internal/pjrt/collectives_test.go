package pjrt

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/holt-dl/holt/internal/hooks"
)

// packed is a field of numbers.
func packed(field protowire.Number, all ...int) (to []byte) {
	var values []byte
	for _, n := range all {
		values = protowire.AppendVarint(values, uint64(n))
	}
	return appendMessage(nil, field, values)
}

// join is a message of fields.
func join(fields ...[]byte) []byte { return slices.Concat(fields...) }

// instruction is an HloInstructionProto with a result of float32 numbers of a shape.
func instruction(id int, opcode string, shape []int, fields ...[]byte) []byte {
	return join(appendMessage(nil, 2, []byte(opcode)), appendMessage(nil, 3, join(appendNumber(nil, 2, 11), packed(3, shape...))), appendNumber(nil, 35, id), join(fields...))
}

// TestCollectives reads those of a program in which sixteen GPUs of two hosts come together in all
// the ways that XLA writes down.
func TestCollectives(t *testing.T) {
	of := packed(36, 1)
	pair := func(from, to int) []byte {
		return appendMessage(nil, 52, join(appendNumber(nil, 1, from), appendNumber(nil, 2, to)))
	}
	axis := func(name string, size int) []byte {
		return appendMessage(nil, 1, join(appendMessage(nil, 1, []byte(name)), appendNumber(nil, 2, size)))
	}
	mesh := func(fields ...[]byte) []byte { return appendMessage(nil, 1, join(fields...)) }
	among := func(axis int, part ...int) []byte {
		ref := appendNumber(nil, 1, axis)
		if part != nil {
			ref = appendMessage(ref, 2, join(appendNumber(nil, 1, part[0]), appendNumber(nil, 2, part[1])))
		}
		return appendMessage(nil, 2, ref)
	}
	grid := mesh(axis("batch", 4), axis("model", 4))
	for _, tt := range []struct {
		name   string
		op     string
		fields []byte
		want   hooks.Collective
	}{
		{"all devices", "all-reduce", nil, hooks.Collective{Name: "all-reduce", Calls: 1, Bytes: 400, Hosts: true}},
		{"lists of a host's", "all-gather-start", join(appendMessage(nil, 49, packed(1, 0, 1)), appendMessage(nil, 49, packed(1, 2, 3))), hooks.Collective{Name: "all-gather", Calls: 1, Bytes: 800}},
		{"a list over hosts", "all-gather", appendMessage(nil, 87, appendMessage(nil, 1, packed(1, 7, 8))), hooks.Collective{Name: "all-gather", Calls: 1, Bytes: 800, Hosts: true}},
		{"row in eights", "reduce-scatter", appendMessage(nil, 92, join(appendNumber(nil, 1, 2), appendNumber(nil, 2, 8), packed(3, 16))), hooks.Collective{Name: "reduce-scatter", Calls: 1, Bytes: 400}},
		{"transposed row in eights", "reduce-scatter", appendMessage(nil, 92, join(appendNumber(nil, 1, 2), appendNumber(nil, 2, 8), packed(3, 8, 2), packed(4, 1, 0))), hooks.Collective{Name: "reduce-scatter", Calls: 1, Bytes: 400, Hosts: true}},
		{"along the model", "all-reduce", appendMessage(nil, 93, join(grid, among(1))), hooks.Collective{Name: "all-reduce", Calls: 1, Bytes: 400}},
		{"along the batch", "all-reduce", appendMessage(nil, 93, join(grid, among(0))), hooks.Collective{Name: "all-reduce", Calls: 1, Bytes: 400, Hosts: true}},
		{"left half of the batch", "all-reduce", appendMessage(nil, 93, join(grid, among(0, 1, 2))), hooks.Collective{Name: "all-reduce", Calls: 1, Bytes: 400, Hosts: true}},
		{"right half of the batch", "all-reduce", appendMessage(nil, 93, join(grid, among(0, 2, 2))), hooks.Collective{Name: "all-reduce", Calls: 1, Bytes: 400}},
		{"devices in another order", "all-gather", appendMessage(nil, 93, join(mesh(axis("a", 8), axis("b", 2), packed(2, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15)), among(1))), hooks.Collective{Name: "all-gather", Calls: 1, Bytes: 800, Hosts: true}},
		{"pairs of a host", "collective-permute", join(pair(0, 1), pair(14, 15)), hooks.Collective{Name: "collective-permute", Calls: 1, Bytes: 400}},
		{"pairs over hosts", "collective-permute-start", join(pair(0, 1), pair(7, 8)), hooks.Collective{Name: "collective-permute", Calls: 1, Bytes: 400, Hosts: true}},
	} {
		computation := join(
			appendMessage(nil, 2, instruction(1, "parameter", []int{10, 10})),
			appendMessage(nil, 2, instruction(2, tt.op, []int{10, 10}, of, tt.fields)),
			appendMessage(nil, 2, instruction(3, "all-reduce-done", []int{10, 10}, packed(36, 2))),
		)
		module := appendMessage(nil, 3, computation)
		for _, hlo := range [][]byte{module, appendMessage(nil, 1, module)} {
			if got := collectives(hlo, 16, 8); !reflect.DeepEqual(got, []hooks.Collective{tt.want}) {
				t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
			}
		}
		twice := join(module, module)
		tt.want.Calls, tt.want.Bytes = 2, 2*tt.want.Bytes
		if got := collectives(twice, 16, 8); !reflect.DeepEqual(got, []hooks.Collective{tt.want}) {
			t.Errorf("%s, twice: %+v, want %+v", tt.name, got, tt.want)
		}
		// What is cut off, or of other numbers than it says, is left out or wrong, and no panic.
		for i := range module {
			collectives(module[:i], 16, 8)
			broken := slices.Clone(module)
			broken[i] ^= 0x7f
			collectives(broken, 16, 8)
		}
	}
	if got := fmt.Sprint(inGroups([]int{2, 3}, []int{1, 0}, 2, nil)); got != "[[0 3] [1 4] [2 5]]" {
		t.Errorf("a transposed grid in pairs is %s", got)
	}
}
