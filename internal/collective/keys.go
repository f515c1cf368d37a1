package collective

import (
	"context"
	"fmt"
)

// The processes of a group share values by keys, which the process of rank 0 keeps: where XLA's
// clients of a job get to know each other's devices, and NCCL's ranks find each other. XLA asks
// for keys that another process has yet to put, so that a wait for one ends with the number of a
// process that is lost meanwhile.

// largest is how many bytes of a key and its value a message has room for, in base64.
const largest = line / 2

// Put has all processes find a value under a key, in place of what it had. Where the group has
// ended, the error says why.
func (g *Group) Put(key string, value []byte) error {
	if n := len(key) + len(value); n > largest {
		return fmt.Errorf("key %.100q: it and its value are %d bytes, want at most %d", key, n, largest)
	}
	if err := g.tell(key, value); err != nil {
		return fmt.Errorf("key %q: %w", key, err)
	}
	return nil
}

// tell is Put of what a message has room for, without the key in its error.
func (g *Group) tell(key string, value []byte) error {
	if err := g.main.send(message{Kind: put, Key: []byte(key), Value: value}); err != nil {
		return g.ended(fmt.Errorf("rank 0 is lost: %w", err))
	}
	return nil
}

// Get returns the value of a key, for which it waits until ctx ends. Where a process is lost before
// it has put the key, and where one has stopped, the error names it, and the group is at an end.
func (g *Group) Get(ctx context.Context, key string) ([]byte, error) {
	m, err := g.seek(ctx, get, key)
	return m.Value, err
}

// TryGet returns the value of a key, and whether a process has put it yet.
func (g *Group) TryGet(ctx context.Context, key string) (value []byte, found bool, err error) {
	m, err := g.seek(ctx, tryGet, key)
	return m.Value, m.Found, err
}

// Decide has rank 0 decide something for all: there, decide is called with what each process says,
// by rank, and all get what it returns. Each process calls it as often as the others.
func (g *Group) Decide(ctx context.Context, text string, decide func(texts []string) string) (string, error) {
	n := g.decided.Add(1)
	key := func(what any) string { return fmt.Sprintf("decision %d: %v", n, what) }
	const decision = "of all"
	if g.world.Rank != 0 {
		if err := g.tell(key(g.world.Rank), []byte(text)); err != nil {
			return "", err
		}
		m, err := g.ask(ctx, get, key(decision))
		return string(m.Value), err
	}
	texts := []string{text}
	for rank := 1; rank < g.world.Size; rank++ {
		m, err := g.ask(ctx, get, key(rank))
		if err != nil {
			return "", err
		}
		texts = append(texts, string(m.Value))
	}
	made := decide(texts)
	return made, g.tell(key(decision), []byte(made))
}

// seek is ask with the key in its error.
func (g *Group) seek(ctx context.Context, how kind, key string) (message, error) {
	m, err := g.ask(ctx, how, key)
	if err != nil {
		err = fmt.Errorf("key %q: %w", key, err)
	}
	return m, err
}

// ask asks rank 0 for a key, and waits for its answer.
func (g *Group) ask(ctx context.Context, how kind, key string) (m message, err error) {
	answer := make(chan message, 1)
	g.seeking.Lock()
	g.sought++
	id := g.sought
	if g.seekers == nil {
		g.seekers = map[int]chan message{}
	}
	g.seekers[id] = answer
	g.seeking.Unlock()
	defer func() {
		g.seeking.Lock()
		defer g.seeking.Unlock()
		delete(g.seekers, id)
	}()
	if err := g.main.send(message{Kind: how, Step: id, Key: []byte(key)}); err != nil {
		return m, g.ended(fmt.Errorf("rank 0 is lost: %w", err))
	}
	select {
	case m = <-answer:
		return m, nil
	case <-g.broken:
		select {
		case m = <-answer: // it came before
			return m, nil
		default:
			return m, g.ended(nil)
		}
	case <-ctx.Done():
		g.main.send(message{Kind: forget, Step: id}) // a failure shows where messages are read
		return m, context.Cause(ctx)
	}
}

// ended returns why the group has ended, once the others know it; the error itself where rank 0
// gives no reason.
func (g *Group) ended(err error) error {
	err = g.reason(err)
	if g.hub != nil {
		g.hub.settle()
	}
	return err
}

// answer gives what rank 0 says of a key to the one that asked, unless it waits no more.
func (g *Group) answer(m message) {
	g.seeking.Lock()
	defer g.seeking.Unlock()
	if c := g.seekers[m.Step]; c != nil {
		c <- m // it has room for the one answer
	}
}

// Leave ends the group because this process does not go on, and tells the others why.
func (g *Group) Leave(why error) {
	g.leave(why)
	if g.hub != nil {
		g.hub.settle()
	}
}

// Await does f, which needs all processes for something that is not the group's, such as a program
// that all of their devices run, and returns when all have done theirs: each calls Await for it in
// the same order. Where a process is lost meanwhile, or its f fails, the group is at an end, and
// the context of f with it. f must end then.
func (g *Group) Await(ctx context.Context, text string, f func(context.Context) error) error {
	g.turn.Lock()
	defer g.turn.Unlock()
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := g.main.send(message{Kind: awaiting}); err != nil {
		return g.ended(fmt.Errorf("rank 0 is lost: %w", err))
	}
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-g.broken:
			cancel(g.err)
		case <-finished:
		}
	}()
	err := f(own)
	select {
	case <-g.broken:
		return g.ended(nil)
	default:
	}
	if err != nil {
		g.Leave(err) // the others wait for what this process did not do
		return err
	}
	m, err := g.exchange(ctx, message{Kind: about, Text: cut(text)})
	if err != nil {
		return g.ended(err)
	}
	<-g.doing
	if m.Failed != nil {
		return m.Failed
	}
	return nil
}

// seeker is a process that waits for a key.
type seeker struct{ rank, id int }

// keep notes the value of a key, and sends it to those that wait for it. The caller holds mu.
func (h *hub) keep(key string, value []byte) {
	h.values[key] = value
	for s, of := range h.seekers {
		if of == key {
			h.tell(s, value, true)
			delete(h.seekers, s)
		}
	}
}

// find answers a process that wants a key, now or when there is one. The caller holds mu.
func (h *hub) find(s seeker, key string, now bool) {
	value, ok := h.values[key]
	switch {
	case ok || now:
		h.tell(s, value, ok)
	default:
		h.seekers[s] = key
		h.endLost() // a process that is lost puts none
	}
}

// tell answers a process that wanted a key. The caller holds mu.
func (h *hub) tell(s seeker, value []byte, found bool) {
	h.members[s.rank].send(message{Kind: answered, Step: s.id, Value: value, Found: found})
}

// needed reports whether a process waits for what one that is lost would do. The caller holds mu.
func (h *hub) needed() bool { return len(h.waiting) > 0 || len(h.seekers) > 0 || len(h.awaiting) > 0 }
