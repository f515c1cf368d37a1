package pjrt

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/holt-dl/holt/internal/hooks"
)

// kinds are the operations that are collectives. XLA starts some of them by an operation of their
// own, such as all-gather-start.
var kinds = []string{"all-reduce", "all-gather", "reduce-scatter", "all-to-all", "ragged-all-to-all", "collective-permute", "collective-broadcast"}

// collectives lists the collectives of a serialised program, of which hosts run so many partitions
// each, one host after the other. Those in a loop count once.
//
// An HloModuleProto, which may be in an HloModuleProtoWithConfig, is read by its fields' numbers,
// since nothing else of it is of interest.
// https://github.com/openxla/xla/blob/main/xla/service/hlo.proto
func collectives(hlo []byte, partitions, perHost int) []hooks.Collective {
	const module, computations, instructions = 1, 3, 2
	if len(messages(hlo, computations)) == 0 {
		hlo = last(hlo, module)
	}
	found := map[hooks.Collective]hooks.Collective{} // by their names and whether hosts take part
	for _, c := range messages(hlo, computations) {
		sizes := map[int]int64{} // of results, by the instructions' numbers
		for _, text := range messages(c, instructions) {
			const opcode, shape, id, operands, pairs = 2, 3, 35, 36, 52
			for _, s := range messages(text, shape) {
				sizes[number(text, id)] = bytesOfShape(s)
			}
			name := strings.TrimSuffix(string(last(text, opcode)), "-start")
			if !slices.Contains(kinds, name) {
				continue
			}
			groups := groupsOf(text, partitions)
			for _, p := range messages(text, pairs) {
				const source, target = 1, 2
				groups = append(groups, []int{number(p, source), number(p, target)})
			}
			var bytes int64
			for _, o := range numbers(text, operands) {
				bytes += sizes[o]
			}
			if name == "all-gather" && len(groups) > 0 {
				bytes *= int64(len(groups[0]))
			}
			key := hooks.Collective{Name: name, Hosts: slices.ContainsFunc(groups, func(g []int) bool {
				return slices.ContainsFunc(g, func(d int) bool { return d/perHost != g[0]/perHost })
			})}
			sum := found[key]
			found[key] = hooks.Collective{Name: name, Calls: sum.Calls + 1, Bytes: sum.Bytes + bytes, Hosts: key.Hosts}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b hooks.Collective) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Name), slices.Index(kinds, b.Name)), -cmp.Compare(a.Bytes, b.Bytes))
	})
}

// groupsOf are the devices that an instruction brings together, in one of three forms: lists, a
// reshaped and transposed row of numbers, or axes of a mesh. Without any it is all of them, but for
// a collective-permute, which has pairs.
func groupsOf(instruction []byte, partitions int) (groups [][]int) {
	const lists, device, iota, mesh, pairs = 49, 87, 92, 93, 52
	all := messages(instruction, lists)
	for _, list := range messages(instruction, device) {
		all = append(all, messages(list, 1)...)
	}
	for _, g := range all {
		if ids := numbers(g, 1); len(ids) > 0 {
			groups = append(groups, ids)
		}
	}
	for _, m := range messages(instruction, iota) {
		const each, dims, permutation = 2, 3, 4
		groups = append(groups, inGroups(numbers(m, dims), numbers(m, permutation), number(m, each), nil)...)
	}
	for _, m := range messages(instruction, mesh) {
		groups = append(groups, groupsOfMesh(m)...)
	}
	if len(groups) == 0 && len(messages(instruction, pairs)) == 0 {
		groups = inGroups([]int{partitions}, nil, partitions, nil)
	}
	return groups
}

// groupsOfMesh reads a MeshAxesReplicaGroupListProto: the devices of a group differ along the axes
// that it names, or along a part of an axis.
func groupsOfMesh(m []byte) [][]int {
	const meshField, axesField = 1, 2
	const sizeOfAxis, ids = 2, 2
	const index, part, before, size = 1, 2, 1, 2
	mesh := last(m, meshField)
	type axis struct {
		size  int
		among bool
	}
	var axes []axis
	named := messages(m, axesField)
	for i, a := range messages(mesh, 1) {
		parts := []axis{{number(a, sizeOfAxis), false}}
		for _, ref := range named {
			if number(ref, index) != i {
				continue
			}
			sub := messages(ref, part)
			if len(sub) == 0 {
				parts = []axis{{number(a, sizeOfAxis), true}}
				break
			}
			// An axis may be cut more than once, from the left.
			left, n := number(sub[0], before), number(sub[0], size)
			at := 1
			for k, p := range parts {
				if n > 0 && at <= left && left < at*p.size && !p.among {
					parts = slices.Replace(parts, k, k+1, axis{left / at, false}, axis{n, true}, axis{p.size / (left / at) / n, false})
					break
				}
				at = max(1, at*p.size)
			}
		}
		axes = append(axes, parts...)
	}
	var dims, order, rest []int
	each := 1
	for i, a := range axes {
		dims = append(dims, a.size)
		if a.among {
			rest = append(rest, i)
			each *= a.size
		} else {
			order = append(order, i)
		}
	}
	return inGroups(dims, append(order, rest...), each, numbers(mesh, ids))
}

// inGroups cuts the numbers from 0 on, laid out in dims and transposed, into groups of so many.
// Where there are ids, the numbers stand for them.
func inGroups(dims, permutation []int, each int, ids []int) (groups [][]int) {
	const most = 1 << 20 // devices
	n := 1
	strides := make([]int, len(dims))
	for i := len(dims) - 1; i >= 0; i-- {
		if dims[i] < 1 || dims[i] > most/n {
			return nil
		}
		strides[i] = n
		n *= dims[i]
	}
	if len(permutation) == 0 {
		for i := range dims {
			permutation = append(permutation, i)
		}
	}
	if each <= 0 || n%each != 0 || len(permutation) != len(dims) {
		return nil
	}
	var group []int
	for i := range n {
		at, rest := 0, i
		for k := len(permutation) - 1; k >= 0; k-- {
			axis := permutation[k]
			if axis < 0 || axis >= len(dims) {
				return nil
			}
			at += rest % dims[axis] * strides[axis]
			rest /= dims[axis]
		}
		if at < len(ids) {
			at = ids[at]
		}
		if group = append(group, at); len(group) == each {
			groups, group = append(groups, group), nil
		}
	}
	return groups
}

// bytesOfShape is the size of a ShapeProto's array, or of the arrays of its tuple.
func bytesOfShape(shape []byte) (total int64) {
	const element, dimensions, parts = 2, 3, 4
	for _, s := range messages(shape, parts) {
		total += bytesOfShape(s)
	}
	n := int64(elementBytes[number(shape, element)])
	for _, d := range numbers(shape, dimensions) {
		n *= int64(d)
	}
	return total + n
}

// elementBytes are the sizes of XLA's PrimitiveType, of those that programs of dl have.
var elementBytes = map[int]int{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 2, 8: 4, 9: 8, 10: 2, 11: 4, 12: 8, 16: 2}

// fields calls f with each field of a message, and stops where it is none.
func fields(message []byte, f func(field protowire.Number, bytes []byte, number uint64)) {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		var bytes []byte
		var number uint64
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(field, kind, message)
		}
		if n < 0 {
			return
		}
		message = message[n:]
		f(field, bytes, number)
	}
}

// messages are the values of a field of messages, texts or packed numbers.
func messages(message []byte, field protowire.Number) (all [][]byte) {
	fields(message, func(f protowire.Number, bytes []byte, _ uint64) {
		if f == field {
			all = append(all, bytes)
		}
	})
	return all
}

// last is the value of a field that is there once; nil where it is not.
func last(message []byte, field protowire.Number) []byte {
	all := messages(message, field)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// numbers are the values of a field of numbers, packed or not.
func numbers(message []byte, field protowire.Number) (all []int) {
	fields(message, func(f protowire.Number, bytes []byte, number uint64) {
		if f != field {
			return
		}
		if bytes == nil {
			all = append(all, int(number))
		}
		for len(bytes) > 0 {
			v, n := protowire.ConsumeVarint(bytes)
			if n < 0 {
				return
			}
			all, bytes = append(all, int(v)), bytes[n:]
		}
	})
	return all
}

// number is the value of a field that is there once; 0 where it is not.
func number(message []byte, field protowire.Number) int {
	if all := numbers(message, field); len(all) > 0 {
		return all[len(all)-1]
	}
	return 0
}
