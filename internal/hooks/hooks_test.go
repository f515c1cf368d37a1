package hooks_test

import (
	"context"
	"slices"
	"testing"

	"github.com/holt-dl/holt/internal/hooks"
)

func TestSet(t *testing.T) {
	hooks.Notice("there is no place for it")
	if hooks.Context() != context.Background() {
		t.Error("without a hook the context is not the background")
	}
	type key struct{}
	var told []string
	undo := hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { told = append(told, s) } })
	ctx := context.WithValue(context.Background(), key{}, 1)
	inner := hooks.Set(func(h *hooks.Hooks) { h.Context = func() context.Context { return ctx } })
	hooks.Notice("one")
	if hooks.Context() != ctx {
		t.Error("the context is not the one that was set")
	}
	inner()
	hooks.Notice("two")
	undo()
	hooks.Notice("three")
	if want := []string{"one", "two"}; !slices.Equal(told, want) || hooks.Context() != context.Background() {
		t.Errorf("told %v, want %v; the hooks are put back", told, want)
	}
}
