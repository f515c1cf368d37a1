package main

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/gif"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/notebook/ipynb"
)

// picture is a PNG of this size, as a notebook holds it.
func picture(t *testing.T, width, height int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// animation is a GIF of this size.
func animation(t *testing.T, width, height int) string {
	t.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, image.NewNRGBA(image.Rect(0, 0, width, height)), nil); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// notebooks makes a checkout's folder of notebooks, and that of the notebooks
// that have run, after change was at work on those.
func notebooks(t *testing.T, change func(nb *ipynb.Notebook)) (sources, from string) {
	t.Helper()
	dir := t.TempDir()
	sources, from = filepath.Join(dir, "notebooks"), filepath.Join(dir, "out")
	for _, name := range []string{"quickstart", "for-pytorch-users", "01-first", "02-second", "gallery/vae"} {
		nb := &ipynb.Notebook{Metadata: map[string]any{}, Minor: 5, Cells: []*ipynb.Cell{
			{Type: ipynb.Markdown, ID: "a", Source: "# About " + name + "\n\nWhat `it` shows,\nin **short**.\n\nMore: [next](02-second.ipynb), [a VAE](gallery/vae.ipynb)."},
			{Type: ipynb.Code, ID: "b", Source: "show()"},
			{Type: ipynb.Code, ID: "c", Source: "show(2)"},
		}}
		file := filepath.Join(sources, name+".ipynb")
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := nb.WriteFile(file); err != nil {
			t.Fatal(err)
		}
		for i, c := range nb.Cells[1:] {
			c.Count = i + 1
			c.Outputs = []*ipynb.Output{{Type: ipynb.Display, Metadata: map[string]any{}, Data: map[string]any{
				"image/png": picture(t, 1000*(i+1), 300), "text/plain": "a \"picture\"\nof two lines"}}}
		}
		if name == "gallery/vae" {
			nb.Cells[2].Metadata = map[string]any{"tags": []any{"cover"}}
			nb.Cells[2].Outputs[0].Data = map[string]any{"image/gif": animation(t, 400, 100)}
		}
		if name == "02-second" && change != nil {
			change(nb)
		}
		if err := os.MkdirAll(from, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := nb.WriteFile(filepath.Join(from, filepath.Base(file))); err != nil {
			t.Fatal(err)
		}
	}
	return sources, from
}

func TestSite(t *testing.T) {
	sources, from := notebooks(t, func(nb *ipynb.Notebook) { nb.Cells[2].Metadata = map[string]any{"tags": []any{"cover"}} })
	to := filepath.Join(t.TempDir(), "site")
	if err := os.MkdirAll(to, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gone.html", "gone.png", "CNAME"} {
		if err := os.WriteFile(filepath.Join(to, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(sources, from, to); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(to, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	order := 0
	for _, want := range []string{"Start here", "quickstart.html", "for-pytorch-users.html", "01-first.html", "02-second.html", "The gallery", "vae.html"} {
		i := strings.Index(read("index.html")[order:], want)
		if i < 0 {
			t.Fatalf("the index has no %s after the one before it:\n%s", want, read("index.html"))
		}
		order += i
	}
	for _, want := range []string{`<img src="01-first.png" alt="a &#34;picture&#34;; of two lines" width="320" height="96"`, `<img src="vae.gif" alt="" width="200" height="50"`, "<h3>About gallery/vae</h3>\n<p>What it shows, in short.</p>"} {
		if !strings.Contains(read("index.html"), want) {
			t.Errorf("the index has no %s:\n%s", want, read("index.html"))
		}
	}
	for _, want := range []string{`<a href="02-second.html"`, `<a href="vae.html"`} {
		if !strings.Contains(read("quickstart.html"), want) {
			t.Errorf("a link to a notebook does not lead to its page, %s", want)
		}
	}
	for _, want := range []string{`<a href="index.html">All pages</a>`, `<a href="02-second.html">About 02-second →</a>`} {
		if got := strings.Count(read("01-first.html"), want); got != 2 {
			t.Errorf("a page has %s %d times, want it above and below", want, got)
		}
	}
	for name, size := range map[string]image.Point{"01-first.png": {640, 192}, "02-second.png": {640, 96}} { // the first picture, and the cover
		img, err := png.DecodeConfig(strings.NewReader(read(name)))
		if err != nil || img.Width != size.X || img.Height != size.Y {
			t.Errorf("%s is %d×%d, want %v (%v)", name, img.Width, img.Height, size, err)
		}
	}
	if read("CNAME") != "" {
		t.Error("a file that is no page is changed")
	}
	if old, _ := filepath.Glob(filepath.Join(to, "gone.*")); len(old) > 0 {
		t.Errorf("pages of notebooks that are no more: %v", old)
	}
}

// TestKeepsPages makes pages again where only one notebook has run.
func TestKeepsPages(t *testing.T) {
	sources, from := notebooks(t, nil)
	to := filepath.Join(t.TempDir(), "site")
	if err := run(sources, from, to); err != nil {
		t.Fatal(err)
	}
	files := func() map[string]string {
		all := map[string]string{}
		list, err := os.ReadDir(to)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			data, err := os.ReadFile(filepath.Join(to, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all[f.Name()] = string(data)
		}
		return all
	}
	first := files()
	none := filepath.Join(t.TempDir(), "none")
	if err := run(sources, none, to); err != nil {
		t.Fatalf("without a run pages of the same cells do not stay: %v", err)
	}
	if !maps.Equal(files(), first) {
		t.Error("pages of the same cells change")
	}
	file := filepath.Join(sources, "02-second.ipynb")
	nb, err := ipynb.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	nb.Cells[1].Source = "show(3)"
	if err := nb.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	if names, err := missing(sources, none, to); err != nil || len(names) != 1 || names[0] != file {
		t.Errorf("what wants to be run is %v (%v), want %s", names, err, file)
	}
	if err := run(sources, none, to); err == nil || !strings.Contains(err.Error(), "02-second") {
		t.Errorf("the page of other cells stays (%v)", err)
	}
	nb.Cells[0].Source = "# Another title\n\nIt is in the link of the page before."
	if err := nb.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	if names, _ := missing(sources, none, to); len(names) != 2 {
		t.Errorf("what wants to be run is %v, want the page before, too, which links with the title", names)
	}
}

// TestNoPageIsStale compares docs/site with the notebooks.
func TestNoPageIsStale(t *testing.T) {
	names, err := missing("../../notebooks", "none", "../../docs/site")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Errorf("docs/site shows %s as it was before: run make site", filepath.Base(name))
	}
}

func TestErrors(t *testing.T) {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(nb *ipynb.Notebook)
		want   string
	}{
		{"another text", func(nb *ipynb.Notebook) { nb.Cells[1].Source = "old()" }, "cell 2 is not the notebook's; run it again"},
		{"fewer cells", func(nb *ipynb.Notebook) { nb.Cells = nb.Cells[:1] }, "it has 1 cells, the notebook has 3"},
		{"not run", func(nb *ipynb.Notebook) { nb.Cells[2].Count = 0 }, "cell 3 has not run"},
		{"failed", func(nb *ipynb.Notebook) { nb.Cells[2].Outputs[0] = &ipynb.Output{Type: ipynb.Failure, ErrorName: "e"} }, "cell 3 has failed"},
		{"without a picture", func(nb *ipynb.Notebook) { nb.Cells[1].Outputs, nb.Cells[2].Outputs = nil, nil }, "no cell shows a picture"},
		{"a path", func(nb *ipynb.Notebook) {
			nb.Cells[2].Outputs[0] = &ipynb.Output{Type: ipynb.Stream, Name: "stdout", Text: wd + "/x"}
		}, "cell 3 shows the folder " + wd + " of this machine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sources, from := notebooks(t, tt.change)
			to := filepath.Join(t.TempDir(), "site")
			err := run(sources, from, to)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got the error %v, want %s", err, tt.want)
			}
			if _, err := os.Stat(to); err == nil {
				t.Error("pages are written all the same")
			}
		})
	}
}
