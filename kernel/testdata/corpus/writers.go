// io interfaces, implemented here and passed to the library
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"text/template"
)

type upper struct{ w io.Writer }

func (u upper) Write(p []byte) (int, error) { return u.w.Write(bytes.ToUpper(p)) }

type rot13 struct{ r io.Reader }

func (r rot13) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	for i, c := range p[:n] {
		switch {
		case c >= 'a' && c <= 'z':
			p[i] = 'a' + (c-'a'+13)%26
		case c >= 'A' && c <= 'Z':
			p[i] = 'A' + (c-'A'+13)%26
		}
	}
	return n, err
}

type counting struct {
	io.Writer
	n int
}

func (c *counting) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.Writer.Write(p)
}

type row struct {
	Name string
	N    int
}

func (r row) Double() int { return 2 * r.N }

func main() {
	c := &counting{Writer: upper{os.Stdout}}
	_, err := io.Copy(c, rot13{strings.NewReader("Uryyb\n")})
	fmt.Println(c.n, err)
	sc := bufio.NewScanner(strings.NewReader("one two\nthree"))
	sc.Split(bufio.ScanWords)
	for sc.Scan() {
		fmt.Print(sc.Text(), "|")
	}
	fmt.Println()
	tw := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, err = fmt.Fprintf(tw, "a\tbb\t\nccc\td\t\n")
	err = tw.Flush()
	t := template.Must(template.New("t").Parse("{{range .}}{{.Name}}:{{.Double}} {{end}}\n"))
	err = t.Execute(os.Stdout, []row{{"x", 1}, {"y", 2}})
	fmt.Println(err)
	var buf bytes.Buffer
	mw := io.MultiWriter(&buf, upper{&buf})
	_, err = io.WriteString(mw, "dup")
	fmt.Println(buf.String(), buf.Len())
	var w io.Writer = c
	_, isReader := w.(io.Reader)
	_, isString := w.(io.StringWriter)
	fmt.Println(isReader, isString)
}
