package cell

import "testing"

// TestUnexportedTypes keeps variables of types that a library does not export.
func TestUnexportedTypes(t *testing.T) {
	imports := "import lib `" + unexportedPath + "`\n"
	tests := []struct {
		name  string
		cells []string
		want  string
	}{
		{"a pointer", []string{imports + "g := &lib.Graph{Name: `g`}\nmachine := lib.NewTape(g, lib.Fast())\nmachine.Run()", "machine.Run()\nmachine.Runs()", "machine.Speed++\nfmt.Println(machine.Speed)", "other := machine\nother.Run()", "machine.Runs()", "func f() int { return machine.Speed * 2 }\nf()", "machine = lib.NewTape(g)", "f()"}, "= 2\n10\n= 3\n= 20\n= 2\n"},
		{"pointers to it, slices of it", []string{imports + "func list[T any](xs ...T) []T { return xs }\na := lib.NewTape(nil)\np := &a\nall := list(a, lib.NewTape(&lib.Graph{}))\nv := *a", "(*p).Speed = 7\nall[0].Speed + all[1].Speed + v.Speed", "all = append(all, *p)\nlen(all)", "by := map[string]any{`a`: a}\nc := make(chan int, 1)\nf := func() int { return all[2].Speed }", "f()"}, "= 9\n= 3\n= 7\n"},
		{"several results, and the error is taken", []string{imports + "list, by, state := lib.Several()", "list[1].Speed + by[`a`].Speed", "fmt.Println(state)\nstate = lib.Off\nstate"}, "= 7\non\n= off\n"},
		{"an interface", []string{imports + "r := lib.Runner()", "r.Run()\nvar err = r.Run()\nfmt.Println(err)", "r = lib.NewTape(nil)\nfmt.Sprintf(`%T`, r)"}, "<nil>\n= *unexported.tape\n"},
		{"a chain of calls", []string{imports + "b := lib.Build()", "b.Step(`x`)\nd := b.Step(`y`).Done()", "d.Steps"}, "= [x y]\n"},
		{"generic types", []string{imports + "b := lib.Wrap(3)\ntype T struct{ n int }", "bt := lib.Wrap(T{4})", "b.V++\nb.Get() + bt.Get().n", "p := lib.Both()", "p.First.Speed + p.Second"}, "= 8\n= 8\n"},
		{"fields, variables, constants and hooks", []string{imports + "g := lib.Graph{}\nix := g.Index\nh := g.On(`k`)\nd := lib.Default\ns := lib.On\nopt := lib.Fast()\nmk := lib.NewTape", "ix.N++\nh.Call()\nh.Call() + ix.N + d.Speed + mk(&g, opt).Speed", "s"}, "= 17\n= on\n"},
		{"of the standard library", []string{"import `encoding/binary`\norder := binary.LittleEndian", "order.Uint16([]byte{1, 2})"}, "= 513\n"},
		{"with another type later", []string{imports + "m := lib.NewTape(nil)", "m := m.Speed\nm", "m := lib.NewTape(nil)\nm.Speed", "var m2 = m\nm2.Speed"}, "= 1\n= 1\n= 1\n"},
	}
	var nbs []*notebook
	for _, tt := range tests {
		n := newNotebook(t)
		nbs = append(nbs, n)
		for _, c := range tt.cells {
			n.cell(c)
		}
	}
	outs := runAll(t, nbs)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if outs[i] != tt.want {
				t.Errorf("n%d: got %q, want %q\n%s", i, outs[i], tt.want, nbs[i].all())
			}
			nbs[i].nb.MarkLost("the host ended")
			p, err := nbs[i].nb.Rebuild(t.Context())
			if err != nil || len(p.Notices) > 0 {
				t.Fatal(err, p.Notices)
			}
			p.Commit(-1)
		})
	}
}

func TestUnexportedTypesMessages(t *testing.T) {
	imports := "import lib `" + unexportedPath + "`\n"
	n := newNotebook(t)
	got := n.fails(imports + "type T struct{ n int }\nb := lib.Wrap(T{4})")
	want := "cell[1]:3:1: b, of type *unexported.box[T], cannot be made in the cell that declares T, since another package does not export its type; declare T in a cell of its own before this one"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	n.cell("type T struct{ n int }")
	n.cell(imports + "b := lib.Wrap(T{4})\nm := lib.NewTape(nil)")
	p := n.cell("type T struct{ n, m int }")
	want = "b (cell[3]) is gone: its type *unexported.box[T] holds one that was declared again; run cell[3] again to make it"
	if len(p.Notices) != 1 || p.Notices[0] != want {
		t.Errorf("got  %q\nwant %q", p.Notices, want)
	}
	n.cell("m.Speed")
}
