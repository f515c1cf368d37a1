package session

import (
	"context"
	"strings"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/cell/gonb"
)

// getsModules recognises the command "go get …". Without a module of the
// notebook's folder it means the notebook's own go.mod, as !*go get does; with
// one it changes that, and the notebook's own too.
func getsModules(s gonb.Script) (queries []string, ok bool) {
	words := strings.Fields(strings.TrimPrefix(s.What, "!"))
	if s.Temp || len(words) < 3 || words[0] != "go" || words[1] != "get" || strings.ContainsAny(s.What, "&|;<>$`(") {
		return nil, false
	}
	for _, w := range words[2:] {
		if !strings.HasPrefix(w, "-") {
			path, _, _ := strings.Cut(w, "@")
			queries = append(queries, path)
		}
	}
	return queries, len(queries) > 0
}

// goGet runs "go get" for the notebook, and says at once when no proxy can be
// reached: the go command would wait for minutes.
func (c commands) goGet(ctx context.Context, s gonb.Script, queries []string) error {
	if build.InModule(c.s.cwd) {
		if err := c.shell(ctx, s); err != nil {
			return err
		}
	}
	s.Temp = true
	offline := c.s.world.Online(ctx, queries)
	if offline != nil {
		// What is in the module cache is there all the same.
		s.Env = append(s.Env, "GOPROXY=off")
	}
	if err := c.shell(ctx, s); err != nil {
		if offline != nil && ctx.Err() == nil {
			return offline
		}
		return err
	}
	return nil
}
