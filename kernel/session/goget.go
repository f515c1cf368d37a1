package session

import (
	"context"
	"strings"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/cell/gonb"
)

// getsModules recognises the command "go get …", and returns the paths that it asks for,
// without versions and flags. Without a module of the notebook's folder it means the notebook's
// own go.mod, as !*go get does; with one it changes that, and the notebook's own too.
//
//	!go get example.org/m@v1.2.0     yes: example.org/m
//	!go get -u                       no: it names nothing
//	!cd /tmp && go get example.org   no: a shell's text may mean anything
//	!*go get example.org/m           no: Temp says already where it runs
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

// goGet runs "go get" for the notebook, and says at once when no proxy can be reached: the go
// command would wait for minutes.
//
// In a folder with a go.mod it runs there first, and its error there ends it: the person's own
// module is the one that they see. Then it runs in the folder of the notebook's go.mod, and
// what that requires from then on is taken over (shell).
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
