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

func TestLeave(t *testing.T) {
	both, done := make(chan int), make(chan int, 2)
	hooks.OnLeave(func() { both <- 1; done <- 1 })()
	for range 2 { // which wait for each other
		remove := hooks.OnLeave(func() {
			select {
			case both <- 1:
			case <-both:
			}
			done <- 1
		})
		defer remove()
	}
	hooks.Leave()
	if len(done) != 2 {
		t.Errorf("%d functions are done, want 2", len(done))
	}
}
