package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"os"
	"path/filepath"
	"regexp"

	"github.com/holt-dl/holt/kernel/notebook/ipynb"
	"github.com/holt-dl/holt/kernel/notebook/page"
)

// digest stands for all that a page takes from a notebook that has not run: its cells, and
// the links to its neighbours.
func digest(nb *ipynb.Notebook, links []page.Link) string {
	h := sha256.New()
	w := json.NewEncoder(h)
	for _, c := range nb.Cells {
		w.Encode([]any{c.Type, c.Source, c.Attachments, c.Tagged("cover")})
	}
	w.Encode(links)
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

// stampFormat are two elements in the head of a page: a hash of the notebook's cells and the
// picture's alternative text. A test compares the hash, and fails for pages that are out of date.
const stampFormat = "\n<meta name=\"holt-cells\" content=\"%s\">\n<meta name=\"holt-picture\" content=\"%s\">"

var (
	generator = []byte("<meta name=\"generator\" content=\"holt\">")
	stamped   = regexp.MustCompile(`<meta name="holt-cells" content="(.*?)">\n<meta name="holt-picture" content="(.*?)">`)
)

// stamp writes into a page of which cells it is, and the alternative text of its picture.
func stamp(page []byte, digest, alt string) []byte {
	return bytes.Replace(page, generator, fmt.Appendf(generator[:len(generator):len(generator)], stampFormat, digest, html.EscapeString(alt)), 1)
}

// fromPage takes the page that is there with its picture, and reports whether it is of the
// notebook's cells.
func (e *entry) fromPage(to string) bool {
	made, err := os.ReadFile(filepath.Join(to, e.Name+".html"))
	if err != nil {
		return false
	}
	m := stamped.FindSubmatch(made)
	if m == nil || string(m[1]) != e.digest {
		return false
	}
	for _, kind := range []string{"png", "gif"} {
		picture, err := os.ReadFile(filepath.Join(to, e.Name+"."+kind))
		if err != nil {
			continue
		}
		size, _, err := image.DecodeConfig(bytes.NewReader(picture))
		if err != nil {
			continue
		}
		e.page, e.picture, e.Picture = made, picture, e.Name+"."+kind
		e.Width, e.Height, e.Alt = size.Width/2, size.Height/2, html.UnescapeString(string(m[2]))
		return true
	}
	return false
}
