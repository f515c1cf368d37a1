package build

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// proxyTimeout is how long each module proxy has to answer anything at all. The go command itself
// would wait for minutes.
const proxyTimeout = 3 * time.Second

// ErrOffline is wrapped by the error of [World.Add] when a package is neither
// required nor in the module cache, and no module proxy can be reached.
var ErrOffline = errors.New("the network cannot be reached")

// Online returns an error, which wraps [ErrOffline], unless a proxy can be
// asked for the packages. It takes seconds at most.
//
// The paths matter where GOPROXY says direct: then the hosts that they begin with are asked.
func (w *World) Online(ctx context.Context, paths []string) error {
	_, err := w.proxies(ctx, paths)
	return err
}

// proxies returns GOPROXY from the first proxy on that answers, within seconds.
// As for the go command, one that cannot be reached is passed over when a |
// follows it, and is an error when a comma does.
//
// For "https://a|https://b,direct" it is all of that where a answers, "https://b,direct"
// where only b does, and an error where neither does: a comma goes on only for a module that
// a proxy does not have, which is not found out here.
func (w *World) proxies(ctx context.Context, paths []string) (string, error) {
	out, _, err := run(command(ctx, w.src, w.tc.env(), w.tc.Go, "env", "GOPROXY"), nil)
	if err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("build: stopped: %w", context.Cause(ctx))
		}
		return "", fmt.Errorf("build: go env GOPROXY: %w", err)
	}
	what := strings.Join(paths, ", ")
	list := strings.TrimSpace(string(out))
	var last error
	for list != "" {
		end := strings.IndexAny(list, ",|")
		proxy, rest, again := list, "", false
		if end >= 0 {
			proxy, rest, again = list[:end], list[end+1:], list[end] == '|'
		}
		// Then last is nil, unless a proxy before it could not be reached.
		if proxy == "off" {
			break
		}
		if last = answers(ctx, proxy, paths); last == nil {
			return list, nil
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("build: stopped: %w", context.Cause(ctx))
		}
		if !again {
			break
		}
		list = rest
	}
	if last == nil {
		return "", fmt.Errorf("build: %s is not in the module cache, and GOPROXY=off forbids to fetch it: %w", what, ErrOffline)
	}
	return "", fmt.Errorf("build: %s is not in the module cache, and %w (%v); connect, or set GOPROXY to a proxy that can be reached", what, ErrOffline, last)
}

// answers sends a request to a proxy, or with "direct" to the hosts that the paths begin
// with. Any response counts, also an error: the host can be reached.
//
// All hosts are asked at once, and one answer is enough. Where there is nothing to ask, such
// as for a proxy that is a folder, it succeeds: the go command will see.
func answers(ctx context.Context, proxy string, paths []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, proxyTimeout, fmt.Errorf("no answer within %v", proxyTimeout))
	defer cancel()
	if strings.HasPrefix(proxy, "file:") {
		return nil
	}
	urls := []string{proxy}
	if proxy == "direct" {
		urls = nil
		for _, path := range paths {
			if host, _, _ := strings.Cut(path, "/"); strings.Contains(host, ".") {
				urls = append(urls, "https://"+host)
			}
		}
	}
	if len(urls) == 0 {
		return nil
	}
	// It has room for all, so that those that answer later end too.
	results := make(chan error, len(urls))
	for _, u := range urls {
		go func() { results <- get(ctx, u) }()
	}
	var last error
	for range urls {
		if last = <-results; last == nil {
			return nil
		}
	}
	return last
}

// get succeeds when a server answers.
//
// It follows no redirection: the first answer tells enough.
func get(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return nil // the go command says what is wrong with it
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
		return nil
	}
	// "no answer within 3s" instead of the client's words.
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return fmt.Errorf("%s: %w", req.URL.Host, err)
}
