// Site writes the course and the gallery as pages, from notebooks that have run:
//
//	go run ./scripts/site [-from notebooks/out] [-to docs/site] [-missing]
//
// Each notebook becomes a page that needs no other file, and the index shows one
// picture of each. A page says of which cells it is, so that the page of a notebook that
// has not run stays where its cells are still those of the checkout. A notebook without
// such a page that has not run, that failed, whose cells are not those that the checkout
// has, or that shows a path of this machine, is an error, and nothing is written.
// With -missing it only names the notebooks that want to be run.
package main

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"image"
	_ "image/gif"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
	"github.com/holt-dl/holt/kernel/notebook/page"
)

func main() {
	from := flag.String("from", "notebooks/out", "the folder with the notebooks and their outputs")
	to := flag.String("to", "docs/site", "the folder of the pages")
	only := flag.Bool("missing", false, "name the notebooks that have not run as they are, and write nothing")
	flag.Parse()
	if *only {
		names, err := missing("notebooks", *from, *to)
		for _, name := range names {
			fmt.Println(name)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "site:", err)
			os.Exit(1)
		}
		return
	}
	if err := run("notebooks", *from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

// A section of the index.
type section struct {
	Title string
	Lines string // what stands below the title
	Pages []*entry
}

// An entry of the index is a notebook.
type entry struct {
	Name    string // of the notebook, without its ending
	Title   string // its first heading
	About   string // the first sentences below it
	Picture string // the file of its picture
	Alt     string
	Width   int // of the picture, in CSS pixels
	Height  int

	file     string // of the notebook
	digest   string // of its cells, and of the links to its neighbours
	links    []page.Link
	notebook *ipynb.Notebook // as it ran; nil where its page stays as it is
	page     []byte          // the page that stays
	picture  []byte          // PNG or GIF
}

// run writes the pages of the notebooks in the folder sources, which have run
// in the folder from.
func run(sources, from, to string) error {
	sections, err := read(sources)
	if err != nil {
		return err
	}
	var wrong []error
	pages := map[string][]byte{}
	for _, s := range sections {
		for _, e := range s.Pages {
			if err := e.fill(from, to); err != nil {
				wrong = append(wrong, err)
				continue
			}
			if e.notebook != nil {
				var b bytes.Buffer
				if err := page.Write(&b, e.notebook, page.Options{Title: e.Title, Links: e.links}); err != nil {
					return fmt.Errorf("%s: %w", e.Name, err)
				}
				e.page = stamp(toPages(b.Bytes()), e.digest, e.Alt)
			}
			pages[e.Name+".html"], pages[e.Picture] = e.page, e.picture
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := index.Execute(&b, sections); err != nil {
		return err
	}
	pages["index.html"] = b.Bytes()
	return write(to, pages)
}

// notebookLink is a link to another notebook.
var notebookLink = regexp.MustCompile(`<a href="(?:[^":]*/)?([^"/:]+)\.ipynb"`)

// toPages makes links to notebooks lead to their pages, which are in one folder.
func toPages(html []byte) []byte {
	return notebookLink.ReplaceAll(html, []byte(`<a href="$1.html"`))
}

//go:embed index.html
var source string

var index = template.Must(template.New("index").Parse(source))

// Which notebooks belong to which section of the index.
var patterns = []string{"[a-z]*.ipynb", "[0-9]*.ipynb", "gallery/*.ipynb"}

// listed are the notebooks of each section, in the order of the index.
func listed(sources string) ([][]string, error) {
	var sections [][]string
	for i, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(sources, pattern))
		if err != nil {
			return nil, err
		}
		slices.Sort(files)
		if i == 0 { // the quickstart first
			slices.Reverse(files)
		}
		sections = append(sections, files)
	}
	return sections, nil
}

// missing are the notebooks that have not run as they are, and whose pages are of other cells.
func missing(sources, from, to string) (names []string, err error) {
	sections, err := read(sources)
	if err != nil {
		return nil, err
	}
	for _, s := range sections {
		for _, e := range s.Pages {
			if e.fill(from, to) != nil {
				names = append(names, e.file)
			}
		}
	}
	return names, nil
}

// read reads the notebooks of the course and of the gallery, in the order of
// their names.
func read(sources string) ([]*section, error) {
	sections := []*section{
		{Title: "Start here", Lines: "A network trained in ten minutes, and what a person who knows PyTorch finds where."},
		{Title: "The course", Lines: "Twenty chapters from the first picture to a network trained on another machine."},
		{Title: "The gallery", Lines: "Programs that PyTorch users know, each whole on one page."},
	}
	all, err := listed(sources)
	if err != nil {
		return nil, err
	}
	var wrong []error
	for i, files := range all {
		var cells []*ipynb.Notebook
		for _, file := range files {
			nb, err := ipynb.ReadFile(file)
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			e := &entry{Name: strings.TrimSuffix(filepath.Base(file), ".ipynb"), file: file}
			if e.Title, e.About, err = opening(nb); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", file, err))
				continue
			}
			sections[i].Pages, cells = append(sections[i].Pages, e), append(cells, nb)
		}
		for j, e := range sections[i].Pages {
			e.links = linksOf(sections[i].Pages, j)
			e.digest = digest(cells[j], e.links)
		}
	}
	return sections, errors.Join(wrong...)
}

// linksOf are a page's links to the index and to its neighbours.
func linksOf(pages []*entry, i int) []page.Link {
	links := []page.Link{{Text: "All pages", Address: "index.html"}}
	if i > 0 {
		links = append(links, page.Link{Text: "← " + pages[i-1].Title, Address: pages[i-1].Name + ".html"})
	}
	if i+1 < len(pages) {
		links = append(links, page.Link{Text: pages[i+1].Title + " →", Address: pages[i+1].Name + ".html"})
	}
	return links
}

// fill takes the notebook as it ran, or else its page, if that is of the same cells.
func (e *entry) fill(from, to string) error {
	ran := filepath.Join(from, filepath.Base(e.file))
	err := e.fromRun(ran)
	if err == nil || e.fromPage(to) {
		return nil
	}
	return err
}

// fromRun takes the notebook as it ran.
func (e *entry) fromRun(ran string) error {
	nb, err := ipynb.ReadFile(e.file)
	if err != nil {
		return err
	}
	out, err := ipynb.ReadFile(ran)
	if err != nil {
		return fmt.Errorf("%w; run it first: make site does", err)
	}
	if err := same(nb, out); err != nil {
		return fmt.Errorf("%s: %w; run it again", ran, err)
	}
	if err := noMachine(out); err != nil {
		return fmt.Errorf("%s: %w", ran, err)
	}
	e.notebook = out
	if err := e.choose(); err != nil {
		e.notebook = nil
		return fmt.Errorf("%s: %w", ran, err)
	}
	return nil
}

// same is an error unless out is the notebook nb, run to its end.
func same(nb, out *ipynb.Notebook) error {
	if len(nb.Cells) != len(out.Cells) {
		return fmt.Errorf("it has %d cells, the notebook has %d", len(out.Cells), len(nb.Cells))
	}
	for i, c := range nb.Cells {
		o := out.Cells[i]
		if c.Type != o.Type || c.Source != o.Source {
			return fmt.Errorf("cell %d is not the notebook's", i+1)
		}
		if c.Type != ipynb.Code || c.Tagged("skip-execution") {
			continue
		}
		if o.Count == 0 && strings.TrimSpace(o.Source) != "" {
			return fmt.Errorf("cell %d has not run", i+1)
		}
		failed := slices.ContainsFunc(o.Outputs, func(o *ipynb.Output) bool { return o.Type == ipynb.Failure })
		if failed && !c.Tagged("raises-exception") {
			return fmt.Errorf("cell %d has failed", i+1)
		}
	}
	return nil
}

// opening is a notebook's first heading, and the paragraph below it, as plain text.
func opening(nb *ipynb.Notebook) (title, about string, err error) {
	if len(nb.Cells) > 0 && nb.Cells[0].Type == ipynb.Markdown {
		blocks := strings.Split(nb.Cells[0].Source, "\n\n")
		if t, ok := strings.CutPrefix(blocks[0], "# "); ok && len(blocks) > 1 {
			plain := strings.NewReplacer("`", "", "*", "")
			return plain.Replace(strings.TrimSpace(t)), plain.Replace(strings.Join(strings.Fields(blocks[1]), " ")), nil
		}
	}
	return "", "", errors.New("its first cell wants a heading, and a paragraph below it")
}

// A picture on the index is at most so wide and high, in the pixels of a screen
// with two to each of CSS.
const widest, highest = 640, 400

// choose takes the last picture of the cell with the tag cover, or else the
// notebook's first one. An animation stays as it is.
func (e *entry) choose() error {
	var chosen *ipynb.Output
	for _, c := range e.notebook.Cells {
		for _, o := range c.Outputs {
			if _, kind := drawn(o); kind != "" && (chosen == nil || c.Tagged("cover")) {
				chosen = o
			}
		}
	}
	if chosen == nil {
		return errors.New("no cell shows a picture, and the index wants one")
	}
	text, kind := drawn(chosen)
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return err
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if kind == "png" {
		img = shrink(img)
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img); err != nil {
			return err
		}
		data = b.Bytes()
	}
	e.Picture, e.picture = e.Name+"."+kind, data
	e.Width, e.Height = img.Bounds().Dx()/2, img.Bounds().Dy()/2
	alt, _ := chosen.Data["text/plain"].(string)
	e.Alt = frame.Alt(alt)
	return nil
}

// drawn is the picture of an output in base64, and its kind; empty where it has none.
func drawn(o *ipynb.Output) (text, kind string) {
	for _, kind := range []string{"png", "gif"} {
		if text, ok := o.Data["image/"+kind].(string); ok {
			return text, kind
		}
	}
	return "", ""
}

// shrink makes a picture fit the index.
func shrink(img image.Image) image.Image {
	size := img.Bounds().Size()
	scale := min(1, widest/float64(size.X), highest/float64(size.Y))
	if scale == 1 {
		return img
	}
	small := image.NewNRGBA(image.Rect(0, 0, max(1, int(float64(size.X)*scale)), max(1, int(float64(size.Y)*scale))))
	draw.CatmullRom.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	return small
}

// noMachine is an error where what a cell shows names a folder of the machine
// that ran it.
func noMachine(nb *ipynb.Notebook) error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return err
	}
	for i, c := range nb.Cells {
		for _, o := range c.Outputs {
			texts := []string{o.Text}
			for _, data := range o.Data {
				texts = append(texts, fmt.Sprint(data))
			}
			for _, dir := range []string{wd, home, os.TempDir()} {
				names := func(text string) bool { return strings.Contains(text, dir+"/") }
				if len(dir) > 1 && slices.ContainsFunc(texts, names) {
					return fmt.Errorf("cell %d shows the folder %s of this machine", i+1, dir)
				}
			}
		}
	}
	return nil
}

// write leaves the folder with these files and no others of their kinds.
func write(to string, pages map[string][]byte) error {
	if err := os.MkdirAll(to, 0o777); err != nil {
		return err
	}
	old, err := os.ReadDir(to)
	if err != nil {
		return err
	}
	for _, f := range old {
		kind := filepath.Ext(f.Name())
		if _, kept := pages[f.Name()]; !kept && slices.Contains([]string{".html", ".png", ".gif"}, kind) {
			if err := os.Remove(filepath.Join(to, f.Name())); err != nil {
				return err
			}
		}
	}
	size := 0
	for name, data := range pages {
		size += len(data)
		err := aside.WriteFile(filepath.Join(to, name), func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
		if err != nil {
			return err
		}
	}
	fmt.Printf("%s: %d files, %.1f MB\n", filepath.Join(to, "index.html"), len(pages), float64(size)/1e6)
	return nil
}
