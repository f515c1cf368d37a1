package dl

import "testing"

// TestDataParallelNames loads weights whose names have a prefix.
func TestDataParallelNames(t *testing.T) {
	m, err := Build(Sequential{Linear{Out: 2}}, Shape{1, 3})
	if err != nil {
		t.Fatal(err)
	}
	wrapped := StateDict{}
	for name, x := range m.StateDict() {
		wrapped["module."+name] = x
	}
	const want = `the names of the weights begin with "module.", as torch.nn.DataParallel and torch.compile save them; take it off: model.LoadStateDict(dict.TrimPrefix("module."))`
	if err := m.LoadStateDict(wrapped); err == nil || err.Error() != want {
		t.Errorf("error is %v\nwant %s", err, want)
	}
	if err := m.LoadStateDict(wrapped.TrimPrefix("module.")); err != nil {
		t.Error(err)
	}
}
