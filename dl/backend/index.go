package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/holt-dl/holt/internal/download"
)

// indexURL is the simple index to ask: pip's setting, else PyPI.
func indexURL() string {
	if u := os.Getenv("PIP_INDEX_URL"); u != "" {
		return u
	}
	return "https://pypi.org/simple"
}

// A page of a large project is about 2 MB.
const maxPage = 32 << 20

// locate asks a simple index (PEP 503, PEP 691) where a wheel is.
func locate(ctx context.Context, client *http.Client, index string, w wheel) (string, error) {
	page, at, kind, err := download.Page(ctx, client, strings.TrimSuffix(index, "/")+"/"+w.project+"/",
		"application/vnd.pypi.simple.v1+json, text/html;q=0.5", maxPage)
	if err != nil {
		return "", err
	}
	var ref string
	if strings.Contains(kind, "json") {
		ref, err = linkInJSON(page, w.file)
	} else {
		ref, err = linkInHTML(page, w.file)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", at.Redacted(), err)
	}
	u, err := at.Parse(ref)
	if err != nil {
		return "", fmt.Errorf("%s: %w", at.Redacted(), err)
	}
	u.Fragment = ""
	if u.User == nil && u.Host == at.Host {
		u.User = at.User // a private index wants its password for files as well
	}
	return u.String(), nil
}

func linkInJSON(page []byte, file string) (string, error) {
	var list struct {
		Files []struct{ Filename, URL string }
	}
	if err := json.Unmarshal(page, &list); err != nil {
		return "", fmt.Errorf("the index is not understood: %w", err)
	}
	for _, f := range list.Files {
		if f.Filename == file {
			return f.URL, nil
		}
	}
	return "", fmt.Errorf("the index has %d files, but not %s", len(list.Files), file)
}

var anchor = regexp.MustCompile(`(?is)<a\b[^>]*\bhref\s*=\s*["']([^"']*)["'][^>]*>`)

func linkInHTML(page []byte, file string) (string, error) {
	links := anchor.FindAllSubmatch(page, -1)
	for _, link := range links {
		ref := html.UnescapeString(string(link[1]))
		path, _, _ := strings.Cut(ref, "#")
		base := path[strings.LastIndex(path, "/")+1:]
		if name, err := url.PathUnescape(base); err == nil && name == file {
			return ref, nil
		}
	}
	return "", fmt.Errorf("the index has %d files, but not %s", len(links), file)
}
