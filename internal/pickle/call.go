package pickle

// dictionaries are classes that are called with pairs, or with nothing.
var dictionaries = map[Class]bool{"collections.OrderedDict": true, "builtins.dict": true, "__builtin__.dict": true}

// reconstructors are how protocols 0 and 1 make an object of a class, a base,
// and what it holds as one of the base.
var reconstructors = map[Class]bool{"copyreg._reconstructor": true, "copy_reg._reconstructor": true}

// call makes what a function of Python's would return, as far as it is data.
func (m *Machine) call(f, args any) any {
	if o, ok := f.(*Object); ok { // such as a method of one
		return m.Object(o.Class)
	}
	name, ok := f.(Class)
	a, isTuple := args.(Tuple)
	if !ok || !isTuple {
		Fail("the pickle calls what is no function")
	}
	if v, known := m.hooks.Call(m, name, a); known {
		return v
	}
	switch {
	case dictionaries[name] && len(a) == 0:
		return &Dict{}
	case dictionaries[name] && len(a) == 1:
		switch from := a[0].(type) {
		case *List: // of pairs, so Python 2 writes it
			return m.fromPairs(from)
		case *Dict:
			m.Charge(len(from.Items))
			return &Dict{append([][2]any(nil), from.Items...)}
		}
	case reconstructors[name] && len(a) > 0:
		return m.reconstruct(a)
	}
	o := m.Object(name)
	o.Args = a
	return o
}

// Object stands for what a class or function would make.
func (m *Machine) Object(of Class) *Object {
	m.charge(4 * opCost)
	return &Object{Class: of}
}

// reconstruct stands for an object of a class that may be derived from dict or
// list.
func (m *Machine) reconstruct(a Tuple) *Object {
	of, _ := a[0].(Class)
	o := m.Object(of)
	if len(a) == 3 {
		switch held := a[2].(type) {
		case *Dict:
			m.Charge(len(held.Items))
			o.Dict.Items = append(o.Dict.Items, held.Items...)
		case *List:
			m.Charge(len(held.Items))
			o.List.Items = append(o.List.Items, held.Items...)
		}
	}
	return o
}

// fromPairs makes a dictionary of a list of keys and values.
func (m *Machine) fromPairs(pairs *List) *Dict {
	m.Charge(len(pairs.Items))
	d := &Dict{}
	for _, p := range pairs.Items {
		var pair []any
		switch p := p.(type) {
		case *List:
			pair = p.Items
		case Tuple:
			pair = p
		}
		if len(pair) != 2 {
			Fail("the pickle makes a dictionary of %s, want pairs", KindOf(p))
		}
		d.Add(pair[0], pair[1])
	}
	return d
}
