// Package filetype says what a file is that was given to a reader of another
// format, by its first bytes, and what reads it. It is asked when a reader
// fails: bytes that begin like one format may be right in another.
package filetype

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind is what a file is.
type Kind struct {
	Name string // with its article: "a web page"
	Try  string // what to do with it; the verb %q stands for the path
}

// Kinds that a reader of weights must tell from its own.
const (
	Torch       = "a file of torch.save"
	Safetensors = "a safetensors file"
	Index       = "the index of a safetensors file in parts"
)

// Error is the error for a file that is of this kind where another is wanted.
// It wraps also, without its text.
func (k Kind) Error(path, want string, also error) error {
	try := k.Try
	if strings.Contains(try, "%q") {
		try = fmt.Sprintf(try, path)
	}
	return &kindError{fmt.Sprintf("it is %s, want %s; %s", k.Name, want, try), also}
}

type kindError struct {
	text string
	also error
}

func (e *kindError) Error() string { return e.text }
func (e *kindError) Unwrap() error { return e.also }

// What to try.
const (
	tryTorch   = "read it with pth.LoadStateDict(%q)"
	tryIndex   = "read it with dl.LoadStateDict(%q)"
	tryPicture = "read it with vision.ReadImage(%q)"
	tryUnpack  = "unpack it first, and give what was in it"
	tryNumpy   = `in Python: safetensors.numpy.save_file(dict(numpy.load(path)), "weights.safetensors")`
	tryKeras   = `in Python: safetensors.numpy.save_file({v.path: v.numpy() for v in model.weights}, "weights.safetensors")`
	tryTF      = `in Python: safetensors.numpy.save_file({v.name: v.numpy() for v in model.variables}, "weights.safetensors")`
	tryArrow   = "the module github.com/apache/arrow-go/v18 reads it"
	tryAgain   = "download it again, and look at what the address gives"
)

// starts are formats by their first bytes.
var starts = []struct {
	magic string
	Kind
}{
	{"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", Kind{Torch, tryTorch}}, // before PyTorch 1.6
	{"\x89HDF\r\n\x1a\n", Kind{"an HDF5 file, such as Keras' weights", tryKeras}},
	{"\x93NUMPY", Kind{"a .npy file of numpy", `in Python: safetensors.numpy.save_file({"x": numpy.load(path)}, "weights.safetensors")`}},
	{"GGUF", Kind{"a GGUF file of llama.cpp", "the module github.com/gomlx/go-huggingface reads it, in models/gguf"}},
	{"ggml", Kind{"a GGML file of llama.cpp", "convert it with llama.cpp"}},
	{"PAR1", Kind{"a Parquet file, which is a table", tryArrow}},
	{"ARROW1", Kind{"an Arrow file, which is a table", tryArrow}},
	{"FEA1", Kind{"a Feather file, which is a table", tryArrow}},
	{"version https://git-lfs.github.com", Kind{"a pointer of Git LFS in place of the file itself", "run git lfs pull in its repository, or download the file by its address"}},
	{"\x1f\x8b", Kind{"compressed by gzip", tryUnpack}},
	{"BZh", Kind{"compressed by bzip2", tryUnpack}},
	{"\xfd7zXZ\x00", Kind{"compressed by xz", tryUnpack}},
	{"\x28\xb5\x2f\xfd", Kind{"compressed by zstd", tryUnpack}},
	{"7z\xbc\xaf\x27\x1c", Kind{"a 7-Zip archive", tryUnpack}},
	{"Rar!\x1a\x07", Kind{"a RAR archive", tryUnpack}},
	{"\xff\xd8\xff", Kind{"a JPEG picture", tryPicture}},
	{"\x89PNG\r\n\x1a\n", Kind{"a PNG picture", tryPicture}},
	{"GIF8", Kind{"a GIF picture", tryPicture}},
	{"II*\x00", Kind{"a TIFF picture", tryPicture}},
	{"MM\x00*", Kind{"a TIFF picture", tryPicture}},
	{"%PDF-", Kind{"a PDF document", "give another file"}},
	{"\x7fELF", Kind{"a program or a library of Linux", "give another file"}},
	{"SQLite format 3\x00", Kind{"an SQLite database", "give another file"}},
	{"MATLAB 5.0 MAT-file", Kind{"a .mat file of MATLAB", "in Python, scipy.io.loadmat reads it"}},
	{"model_checkpoint_path:", Kind{"the list of TensorFlow's checkpoints in its folder", tryTF}},
	{"\xed\xab\xee\xdb", Kind{"an RPM package", "give another file"}},
}

// Of says what a file of the given size is, and reports false where that is not
// known. Of a zip archive it looks at the names inside.
func Of(r io.ReaderAt, size int64, path string) (k Kind, ok bool) {
	if size == 0 {
		return Kind{"empty", "save or download it again"}, true
	}
	head := make([]byte, min(size, 1024))
	if n, err := r.ReadAt(head, 0); n < len(head) && err != nil {
		return Kind{}, false
	}
	name := strings.ToLower(filepath.Base(path))
	at := func(place int, magic string) bool {
		return len(head) >= place+len(magic) && string(head[place:place+len(magic)]) == magic
	}
	if at(0, "PK\x03\x04") || at(0, "PK\x05\x06") {
		return archive(r, size), true
	}
	for _, s := range starts {
		if at(0, s.magic) {
			return s.Kind, true
		}
	}
	switch {
	case at(257, "ustar"):
		return Kind{"a tar archive", tryUnpack}, true
	case at(8, "{") && binary.LittleEndian.Uint64(head) <= uint64(size-8):
		return Kind{Safetensors, tryIndex}, true
	case at(0, "RIFF") && at(8, "WEBP"):
		return Kind{"a WebP picture", tryPicture}, true
	case at(0, "RIFF"):
		return Kind{"a sound or a film (RIFF)", "give another file"}, true
	case at(4, "ftypavif"), at(4, "ftypheic"), at(4, "ftypmif1"):
		return Kind{"a picture in AVIF or HEIC", "convert it to PNG or JPEG"}, true
	case at(4, "ftyp"):
		return Kind{"a film (MP4)", "give another file"}, true
	case at(4, "TFL3"):
		return Kind{"a model of TensorFlow Lite", "in Python, tf.lite.Interpreter reads it"}, true
	case at(0, "BM") && len(head) >= 6 && int64(binary.LittleEndian.Uint32(head[2:])) == size:
		return Kind{"a BMP picture", tryPicture}, true
	case strings.HasSuffix(name, ".onnx") || onnx(head):
		return Kind{"an ONNX model", "the module github.com/gomlx/onnx-gomlx runs it"}, true
	case name == "saved_model.pb" || name == "keras_metadata.pb":
		return Kind{"a model of TensorFlow", tryTF}, true
	case strings.Contains(name, ".data-0") || ends(r, size, "\x57\xfb\x80\x8b\x24\x75\x47\xdb"):
		return Kind{"a part of a TensorFlow checkpoint", tryTF}, true
	case head[0] == 0x80 && len(head) > 1 && head[1] >= 2 && head[1] <= 5:
		return Kind{"a pickle that torch.save did not write, such as pickle.dump's or joblib's", `in Python: torch.save(state_dict, "weights.pth")`}, true
	}
	return text(head)
}

// archive says what a zip archive is by the names of its entries.
func archive(r io.ReaderAt, size int64) Kind {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return Kind{"a zip archive whose end is missing, perhaps a file of torch.save", "save or download it again"}
	}
	has := func(match func(name string) bool) bool {
		return slices.ContainsFunc(z.File, func(f *zip.File) bool { return match(f.Name) })
	}
	ends := func(end string) func(string) bool {
		return func(name string) bool { return strings.HasSuffix("/"+name, end) }
	}
	switch {
	case has(ends("/constants.pkl")) && has(func(name string) bool { return strings.Contains("/"+name, "/code/") }):
		return Kind{"a TorchScript program, of torch.jit.save", `save its weights in Python: torch.save(torch.jit.load(path).state_dict(), "weights.pth")`}
	case has(ends("/archive_format")) || has(ends("/models/model.json")):
		return Kind{"a program of torch.export", `save its weights in Python: torch.save(torch.export.load(path).state_dict, "weights.pth")`}
	case has(ends("/data.pkl")):
		return Kind{Torch, tryTorch}
	case has(ends(".weights.h5")) && has(ends("/config.json")):
		return Kind{"a model of Keras", tryKeras}
	case has(ends(".npy")):
		return Kind{"a .npz file of numpy", tryNumpy}
	case has(ends("/[Content_Types].xml")):
		return Kind{"a document of an office program", "give another file"}
	}
	return Kind{"a zip archive", tryUnpack}
}

// onnx reports whether bytes begin as a protocol buffer of ONNX: its version
// and the name of what wrote it.
func onnx(head []byte) bool {
	if len(head) < 5 || head[0] != 0x08 || head[1] == 0 || head[1] > 0x20 || head[2] != 0x12 {
		return false
	}
	n := int(head[3])
	return n > 0 && n < 64 && len(head) > 4+n && utf8.Valid(head[4:4+n]) && bytes.IndexByte(head[4:4+n], 0) < 0
}

func ends(r io.ReaderAt, size int64, magic string) bool {
	b := make([]byte, len(magic))
	if size < int64(len(b)) {
		return false
	}
	_, err := r.ReadAt(b, size-int64(len(b)))
	return (err == nil || err == io.EOF) && string(b) == magic
}

// text says what a text is.
func text(head []byte) (Kind, bool) {
	if len(head) == 1024 {
		for n := 1; n <= 3 && !utf8.Valid(head); n++ { // cut within a letter
			head = head[:len(head)-1]
		}
	}
	plain := strings.TrimPrefix(string(head), "\ufeff")
	if !utf8.ValidString(plain) || strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\r\n\f", r) }) {
		return Kind{}, false
	}
	plain = strings.TrimSpace(plain)
	lower := strings.ToLower(plain)
	switch {
	case strings.HasPrefix(lower, "<!doctype html"), strings.HasPrefix(lower, "<html"), strings.Contains(lower, "<html"), strings.Contains(lower, "<head>"):
		return Kind{"a web page", "the address gave a page, such as a login or an error, in place of the file: " + tryAgain}, true
	case strings.HasPrefix(lower, "<?xml"), strings.HasPrefix(lower, "<error"):
		return Kind{"an XML text", "where it was downloaded, it may be the server's error: " + tryAgain}, true
	case strings.HasPrefix(plain, "{") && strings.Contains(plain, `"weight_map"`) && strings.Contains(plain, `.bin"`):
		return Kind{"the index of a file of torch.save in parts", "read each part with pth.LoadStateDict, and put their tensors into one dl.StateDict: maps.Copy(all, part)"}, true
	case strings.HasPrefix(plain, "{") && strings.Contains(plain, `"weight_map"`):
		return Kind{Index, tryIndex}, true
	case strings.HasPrefix(plain, "{"), strings.HasPrefix(plain, "["):
		return Kind{fmt.Sprintf("a JSON text that begins with %.40q", plain), "give the file of the weights beside it"}, true
	}
	line, _, _ := strings.Cut(plain, "\n")
	return Kind{fmt.Sprintf("a text that begins with %.60q", strings.TrimSpace(line)), "give the file itself; where it was downloaded, " + tryAgain}, true
}

// weights are the endings of files that hold weights.
var weights = []string{".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".h5", ".keras", ".npz", ".onnx", ".gguf", ".safetensors.index.json"}

// Folder says what a folder is that was given in place of a file: it names the
// files of weights in it.
func Folder(path string) Kind {
	entries, err := os.ReadDir(path)
	if err != nil {
		return Kind{fmt.Sprintf("a folder that cannot be read (%v)", err), "give a file"}
	}
	var found, parts []string
	for _, e := range entries {
		name := e.Name()
		switch {
		case e.IsDir():
		case name == "data.pkl" || name == "saved_model.pb":
			parts = append(parts, name)
		case slices.ContainsFunc(weights, func(end string) bool { return strings.HasSuffix(strings.ToLower(name), end) }):
			found = append(found, name)
		}
	}
	switch {
	case len(found) > 0:
		const most = 6
		names := strings.Join(found[:min(len(found), most)], ", ")
		if len(found) > most {
			names += fmt.Sprintf(" and %d more", len(found)-most)
		}
		return Kind{"a folder that holds " + names, fmt.Sprintf("give the file: %q", filepath.Join(path, found[0]))}
	case slices.Contains(parts, "data.pkl"):
		return Kind{"a file of torch.save that was unpacked into a folder", "give the archive itself, or zip the folder without compression"}
	case len(parts) > 0:
		return Kind{"a folder with a model of TensorFlow", tryTF}
	}
	return Kind{"a folder without files of weights", "give a file"}
}
