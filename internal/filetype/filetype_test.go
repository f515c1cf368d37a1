package filetype_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/filetype"
)

// zipped is an archive of empty entries.
func zipped(names ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		if _, err := w.Create(name); err != nil {
			panic(err)
		}
	}
	w.Close()
	return b.String()
}

func tar() string { return "weights.pth" + strings.Repeat("\x00", 246) + "ustar\x0000" }

var files = []struct{ name, content, want string }{
	{"a", "", "empty"},
	{"a.pth", zipped("archive/data.pkl", "archive/data/0"), "a file of torch.save"},
	{"a.pth", zipped("archive/data.pkl")[:40], "a zip archive whose end is missing, perhaps a file of torch.save"},
	{"a.pth", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.", "a file of torch.save"},
	{"a.pt", zipped("net/data.pkl", "net/constants.pkl", "net/code/__torch__.py"), "a TorchScript program, of torch.jit.save"},
	{"a.pt2", zipped("net/archive_format", "net/models/model.json"), "a program of torch.export"},
	{"a.npz", zipped("w.npy", "b.npy"), "a .npz file of numpy"},
	{"a.keras", zipped("metadata.json", "config.json", "model.weights.h5"), "a model of Keras"},
	{"a.xlsx", zipped("[Content_Types].xml"), "a document of an office program"},
	{"a.zip", zipped("a.txt"), "a zip archive"},
	{"a.zip", zipped(), "a zip archive"},
	{"a.npy", "\x93NUMPY\x01\x00", "a .npy file of numpy"},
	{"a.h5", "\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras' weights"},
	{"a.gguf", "GGUF\x03\x00\x00\x00", "a GGUF file of llama.cpp"},
	{"a.onnx", "\x08\x08\x12\x07pytorch\x1a", "an ONNX model"},
	{"a", "\x08\x08\x12\x07pytorch\x1a", "an ONNX model"},
	{"a.parquet", "PAR1\x15", "a Parquet file, which is a table"},
	{"a.feather", "ARROW1\x00\x00", "an Arrow file, which is a table"},
	{"a.safetensors", "version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS in place of the file itself"},
	{"a.safetensors", "\x02\x00\x00\x00\x00\x00\x00\x00{}", "a safetensors file"},
	{"a.index.json", "{\n  \"metadata\": {\"total_size\": 3},\n  \"weight_map\": {", "the index of a safetensors file in parts"},
	{"pytorch_model.bin.index.json", `{"weight_map": {"a": "pytorch_model-00001-of-00002.bin"`, "the index of a file of torch.save in parts"},
	{"config.json", `{"model_type": "bert"}`, `a JSON text that begins with "{\"model_type\": \"bert\"}"`},
	{"a", "\ufeff  <!doctype HTML><html>", "a web page"},
	{"a", "<!-- --><html>", "a web page"},
	{"a", `<?xml version="1.0"?><Error><Code>AccessDenied`, "an XML text"},
	{"a", "404: Not Found", `a text that begins with "404: Not Found"`},
	{"a", "Entry not found\nü" + strings.Repeat("ü", 1000), `a text that begins with "Entry not found"`},
	{"a.gz", "\x1f\x8b\x08\x00", "compressed by gzip"},
	{"a.tar", tar(), "a tar archive"},
	{"a.xz", "\xfd7zXZ\x00", "compressed by xz"},
	{"a.zst", "\x28\xb5\x2f\xfd", "compressed by zstd"},
	{"a.jpg", "\xff\xd8\xff\xe0", "a JPEG picture"},
	{"a.png", "\x89PNG\r\n\x1a\n", "a PNG picture"},
	{"a.webp", "RIFF\x00\x00\x00\x00WEBPVP8 ", "a WebP picture"},
	{"a.avif", "\x00\x00\x00\x1cftypavif", "a picture in AVIF or HEIC"},
	{"a.mp4", "\x00\x00\x00\x1cftypisom", "a film (MP4)"},
	{"a.tflite", "\x1c\x00\x00\x00TFL3", "a model of TensorFlow Lite"},
	{"model.ckpt-1.data-00000-of-00001", "\x01\x02\x03", "a part of a TensorFlow checkpoint"},
	{"model.ckpt-1.index", "\x00\x00\x01" + strings.Repeat("\x00", 40) + "\x57\xfb\x80\x8b\x24\x75\x47\xdb", "a part of a TensorFlow checkpoint"},
	{"checkpoint", "model_checkpoint_path: \"model.ckpt-1\"\n", "the list of TensorFlow's checkpoints in its folder"},
	{"saved_model.pb", "\x08\x01\x12\xff\xff", "a model of TensorFlow"},
	{"a.pkl", "\x80\x04\x95\x0a", "a pickle that torch.save did not write, such as pickle.dump's or joblib's"},
	{"a.pdf", "%PDF-1.7", "a PDF document"},
	{"a.so", "\x7fELF\x02", "a program or a library of Linux"},
	{"a", "\x01\x02\x03\x04\x05", ""},
}

func TestOf(t *testing.T) {
	for _, tt := range files {
		k, ok := filetype.Of(strings.NewReader(tt.content), int64(len(tt.content)), "/some/folder/"+tt.name)
		if k.Name != tt.want || ok != (tt.want != "") || ok && k.Try == "" {
			t.Errorf("%s %.20q is %q, %v, want %q", tt.name, tt.content, k.Name, ok, tt.want)
		}
	}
	// A header that is longer than its file is none of safetensors.
	forged := binary.LittleEndian.AppendUint64(nil, 1<<40)
	if k, ok := filetype.Of(bytes.NewReader(append(forged, '{')), 9, "a"); ok {
		t.Errorf("a forged header is %q", k.Name)
	}
}

func TestError(t *testing.T) {
	k, _ := filetype.Of(strings.NewReader("\xff\xd8\xff\xe0"), 4, "a.jpg")
	err := fmt.Errorf("load: %w", k.Error("a.jpg", "weights", io.ErrUnexpectedEOF))
	if want := `load: it is a JPEG picture, want weights; read it with vision.ReadImage("a.jpg")`; err.Error() != want || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestFolder(t *testing.T) {
	for _, tt := range []struct {
		files     []string
		name, try string
	}{
		{[]string{"b.pth", "a.safetensors", "README.md"}, "a folder that holds a.safetensors, b.pth", `give the file: "DIR/a.safetensors"`},
		{[]string{"1.pt", "2.pt", "3.pt", "4.pt", "5.pt", "6.pt", "7.pt", "8.pt"}, "a folder that holds 1.pt, 2.pt, 3.pt, 4.pt, 5.pt, 6.pt and 2 more", `give the file: "DIR/1.pt"`},
		{[]string{"data.pkl", "version"}, "a file of torch.save that was unpacked into a folder", "give the archive itself, or zip the folder without compression"},
		{[]string{"saved_model.pb"}, "a folder with a model of TensorFlow", ""},
		{nil, "a folder without files of weights", "give a file"},
	} {
		dir := t.TempDir()
		for _, name := range tt.files {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if k := filetype.Folder(dir); k.Name != tt.name || tt.try != "" && k.Try != strings.ReplaceAll(tt.try, "DIR", dir) {
			t.Errorf("%v is %q; %q", tt.files, k.Name, k.Try)
		}
	}
}

// TestCutAnywhere cuts every file at each byte, and changes each byte: none is
// a panic.
func TestCutAnywhere(t *testing.T) {
	for _, tt := range files {
		for size := range len(tt.content) {
			filetype.Of(strings.NewReader(tt.content[:size]), int64(size), tt.name)
			b := []byte(tt.content)
			b[size] ^= 0xff
			filetype.Of(bytes.NewReader(b), int64(len(b)), tt.name)
		}
	}
}

func FuzzOf(f *testing.F) {
	for _, tt := range files {
		f.Add([]byte(tt.content))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k, ok := filetype.Of(bytes.NewReader(b), int64(len(b)), "a")
		if ok != (k.Name != "" && k.Try != "") || len(k.Name) > 500 {
			t.Errorf("%q; %q, %v", k.Name, k.Try, ok)
		}
	})
}
